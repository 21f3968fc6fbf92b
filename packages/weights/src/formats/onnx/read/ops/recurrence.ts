import { plain } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { shapeOf, sizeOfAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { sameSize, shapeText } from "../sizes.ts";

/** A kind of recurrent layer: where Keras' gates lie among ONNX' gates, and the activations that ONNX takes by default. */
interface Kind {
  readonly gates: readonly number[];
  readonly activations: readonly string[];
  /** Initial states: the output, and for an LSTM the cell. */
  readonly states: number;
}

export const kinds = {
  // ONNX has the gates input, output, forget, cell; Keras input, forget, cell, output.
  LSTM: { gates: [0, 2, 3, 1], activations: ["Sigmoid", "Tanh", "Tanh"], states: 2 },
  GRU: { gates: [0, 1, 2], activations: ["Sigmoid", "Tanh"], states: 1 },
  RNN: { gates: [0], activations: ["Tanh"], states: 1 },
} as const satisfies Readonly<Record<string, Kind>>;

/** ONNX' activations whose parameters have the values that tfjs' function of the name has. */
export const activationNames: Readonly<Record<string, string>> = {
  Sigmoid: "sigmoid",
  Tanh: "tanh",
  Relu: "relu",
  HardSigmoid: "hardSigmoid",
  Softsign: "softsign",
  Softplus: "softplus",
  Elu: "elu",
};

export interface Recurrence {
  readonly kind: keyof typeof kinds;
  /** The sequence, batch first. */
  readonly x: Signal;
  /** ONNX has the batch before the time. */
  readonly isBatchFirst: boolean;
  readonly units: number;
  /** Whether each direction runs from the end to the start. */
  readonly backwards: readonly boolean[];
  readonly weight: Constant;
  readonly recurrent: Constant;
  readonly bias: Constant | undefined;
  readonly isResetAfter: boolean;
}

export function recurrenceOf(builder: Builder, node: OnnxNode, kind: keyof typeof kinds): Recurrence {
  const given = builder.signal(node);
  if (given.axes.length !== 3) return builder.refuse(node, `expected a sequence, got ${shapeText(shapeOf(given))}`);
  const isBatchFirst = builder.number(node, "layout", 0) === 1;
  const [weight, recurrent, bias] = [
    builder.constant(node, 1),
    builder.constant(node, 2),
    builder.optionalConstant(node, 3),
  ];
  const backwards = directions[builder.word(node, "direction", "forward")];
  if (backwards === undefined)
    return builder.refuse(node, `expected a direction, got ${builder.word(node, "direction", "forward")}`);
  const x = plain(builder, node, given, isBatchFirst ? [0, 1, 2] : [1, 0, 2]);
  const units = recurrent.shape[2] ?? 0;
  const rows = kinds[kind].gates.length * units;
  const fits =
    String(recurrent.shape) === String([backwards.length, rows, units]) &&
    String(weight.shape) === String([backwards.length, rows, weight.shape[2]]) &&
    sameSize(sizeOfAxis(x.axes[2]!), weight.shape[2] ?? 0) &&
    builder.number(node, "hidden_size", units) === units &&
    (bias === undefined || String(bias.shape) === String([backwards.length, 2 * rows]));
  if (!fits)
    return builder.refuse(
      node,
      `its weights of ${shapeText(weight.shape)} and ${shapeText(recurrent.shape)} do not fit an input of ${shapeText(shapeOf(given))}`,
    );
  refuseOptions(builder, node, x.axes[isBatchFirst ? 1 : 0]!);
  const isResetAfter = builder.number(node, "linear_before_reset", 0) !== 0;
  return { kind, x, isBatchFirst, units, backwards, weight, recurrent, bias, isResetAfter };
}

const directions: Readonly<Record<string, readonly boolean[]>> = {
  forward: [false],
  reverse: [true],
  bidirectional: [false, true],
};

/** Throws for options that no layer has. */
function refuseOptions(builder: Builder, node: OnnxNode, time: Axis): void {
  if (node.attributes["clip"] !== undefined)
    builder.refuse(node, "clips what its activations take, which is not known");
  if (builder.number(node, "input_forget", 0) !== 0)
    builder.refuse(node, "joins its input and forget gates, which is not known");
  const peepholes = builder.optionalConstant(node, 7);
  if (peepholes !== undefined && !isZero(peepholes)) builder.refuse(node, "has peepholes, which are not known");
  if ((node.inputs[4] ?? "") === "") return;
  const lengths = builder.optional(node, 4)!;
  const size = sizeOfAxis(time);
  const isWhole = lengths.kind === "constant" && Array.from(lengths.read()).every((length) => sameSize(length, size));
  if (!isWhole)
    builder.refuse(node, "has a length for each sequence, which is not known: export it for whole sequences");
}

export function isZero(constant: Constant): boolean {
  return Array.from(constant.read()).every((value) => value === 0);
}
