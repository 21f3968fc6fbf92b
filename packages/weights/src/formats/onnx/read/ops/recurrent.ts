import * as tfl from "@tensorflow/tfjs-layers";
import { Concatenate } from "../../../../layers/joins.ts";
import { ResetAfterGRU } from "../../../../layers/recurrent.ts";
import { plain } from "../arrange.ts";
import type { Builder, Value, WeightValues } from "../builder.ts";
import { constantOf } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis, shapeOf, sizeOfAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { sameSize, shapeText } from "../sizes.ts";
import type { Read } from "./read.ts";

/** A kind of recurrent layer: where Keras' gates lie among ONNX' gates, and the activations that ONNX takes by default. */
interface Kind {
  readonly gates: readonly number[];
  readonly activations: readonly string[];
  /** Initial states: the output, and for an LSTM the cell. */
  readonly states: number;
}

const kinds = {
  // ONNX has the gates input, output, forget, cell; Keras input, forget, cell, output.
  LSTM: { gates: [0, 2, 3, 1], activations: ["Sigmoid", "Tanh", "Tanh"], states: 2 },
  GRU: { gates: [0, 1, 2], activations: ["Sigmoid", "Tanh"], states: 1 },
  RNN: { gates: [0], activations: ["Tanh"], states: 1 },
} as const satisfies Readonly<Record<string, Kind>>;

/** ONNX' activations whose parameters have the values that tfjs' function of the name has. */
const activationNames: Readonly<Record<string, string>> = {
  Sigmoid: "sigmoid",
  Tanh: "tanh",
  Relu: "relu",
  HardSigmoid: "hardSigmoid",
  Softsign: "softsign",
  Softplus: "softplus",
  Elu: "elu",
};

interface Recurrence {
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

function recurrenceOf(builder: Builder, node: OnnxNode, kind: keyof typeof kinds): Recurrence {
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

function isZero(constant: Constant): boolean {
  return Array.from(constant.read()).every((value) => value === 0);
}

/** The activations of each direction: of the gates, and of the new state. */
function activationsOf(builder: Builder, node: OnnxNode, kind: keyof typeof kinds, count: number): string[][] {
  const usual = kinds[kind].activations;
  const given = (node.attributes["activations"] ?? []) as readonly string[];
  const names = given.length === 0 ? Array.from({ length: count }, () => usual).flat() : given;
  const known = names.map((name) => activationNames[name]);
  const scales = [...(builder.ints(node, "activation_alpha") ?? []), ...(builder.ints(node, "activation_beta") ?? [])];
  const isUsual = scales.every((scale) => [0.2, 0.5, 1].some((value) => Math.abs(scale - value) < 1e-6));
  if (known.includes(undefined) || names.length !== usual.length * count || !isUsual)
    return builder.refuse(
      node,
      `expected activations of ${Object.keys(activationNames).join(", ")} with their usual numbers, got ${names.join(", ")}`,
    );
  return Array.from({ length: count }, (_, direction) => {
    const own = (known as string[]).slice(direction * usual.length, (direction + 1) * usual.length);
    if (kind === "LSTM" && own[1] !== own[2])
      builder.refuse(node, "has other activations for its cell than for its output, which is not known");
    return own;
  });
}

/** The weights of one direction, in Keras' order of gates and axes. */
function weightsOf(
  { kind, units, weight, recurrent, bias, isResetAfter }: Recurrence,
  direction: number,
): WeightValues {
  const { gates } = kinds[kind];
  const rows = gates.length * units;
  const turned =
    ({ shape, read }: Constant) =>
    (): Float32Array<ArrayBuffer> => {
      const [values, columns] = [read(), shape[2]!];
      const start = direction * rows * columns;
      return Float32Array.from({ length: rows * columns }, (_, at) => {
        const [column, row] = [Math.floor(at / rows), at % rows];
        const own = gates[Math.floor(row / units)]! * units + (row % units);
        return values[start + own * columns + column]!;
      });
    };
  const sums =
    ({ read }: Constant) =>
    (): Float32Array<ArrayBuffer> => {
      const values = read();
      const at = (row: number, part: number): number => {
        const own = gates[Math.floor(row / units)]! * units + (row % units);
        return values[(2 * direction + part) * rows + own]!;
      };
      if (kind === "GRU" && isResetAfter)
        return Float32Array.from({ length: 2 * rows }, (_, index) => at(index % rows, Math.floor(index / rows)));
      return Float32Array.from({ length: rows }, (_, row) => at(row, 0) + at(row, 1));
    };
  return {
    kernel: turned(weight),
    recurrent_kernel: turned(recurrent),
    bias: bias === undefined ? undefined : sums(bias),
  };
}

interface LayerArgs {
  readonly units: number;
  readonly useBias: boolean;
  readonly goBackwards: boolean;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
}

function makeLayer(
  { kind, isResetAfter }: Recurrence,
  args: LayerArgs,
  activations: readonly string[],
  name: string,
): tfl.layers.Layer {
  const [gate, inner = gate!] = activations;
  if (kind === "RNN") return tfl.layers.simpleRNN({ ...args, name, activation: gate as "tanh" });
  const own = { ...args, name, activation: inner as "tanh", recurrentActivation: gate as "sigmoid" };
  if (kind === "LSTM") return tfl.layers.lstm({ ...own, unitForgetBias: false });
  return isResetAfter ? new ResetAfterGRU(own) : tfl.layers.gru(own);
}

/** The initial state of one direction, `[n, units]`; undefined for zeros. */
function initialState(
  builder: Builder,
  node: OnnxNode,
  { x, isBatchFirst, units, backwards }: Recurrence,
  index: number,
  direction: number,
): Signal | undefined {
  const value = builder.optional(node, index);
  const batch = x.axes[isBatchFirst ? 0 : 1]!;
  const own = newAxis(units);
  const result = { axes: [batch, own], physical: [batch, own], type: "float" as const };
  if (value === undefined) return undefined;
  if (value.kind === "sizes") return builder.refuse(node, "begins with sizes");
  if (value.kind === "signal") {
    const [first] = value.origin?.op === "repeatlike" ? value.origin.inputs : [];
    if (first !== undefined && isZero(first as Constant)) return undefined;
    const state = plain(builder, node, value, isBatchFirst ? [0, 1, 2] : [1, 0, 2]);
    const all = { start: null, stop: null, step: null };
    return builder.operation(node, "getitem", { x: state, key: [all, direction, all] }, [result])[0] as Signal;
  }
  if (isZero(value)) return undefined;
  const values = Array.from(value.read());
  const images = values.length / (units * backwards.length);
  const stateOf = (image: number): number[] => {
    const start = isBatchFirst ? image * backwards.length + direction : direction * images + image;
    return values.slice(start * units, (start + 1) * units);
  };
  for (let image = 1; image < images; image++)
    if (String(stateOf(image)) !== String(stateOf(0)))
      builder.refuse(node, "begins with another state for each sequence of the batch, where the model takes any batch");
  const row = constantOf([1, units], "float", Float32Array.from(stateOf(0)));
  return builder.operation(node, "repeatlike", { x: row, like: x }, [result])[0] as Signal;
}

function recurrent(builder: Builder, node: OnnxNode, kind: keyof typeof kinds): readonly Value[] {
  const own = recurrenceOf(builder, node, kind);
  const { x, isBatchFirst, units, backwards } = own;
  const activations = activationsOf(builder, node, kind, backwards.length);
  const isNeeded = (index: number): boolean => {
    const name = node.outputs[index] ?? "";
    return name !== "" && builder.isUsed(name);
  };
  const returnState = isNeeded(1) || isNeeded(2);
  const returnSequences = isNeeded(0) || !returnState;
  const [time, batch] = [x.axes[isBatchFirst ? 1 : 0]!, x.axes[isBatchFirst ? 0 : 1]!];
  const [dirs, hidden] = [newAxis(backwards.length), newAxis(units)];
  const parts = backwards.map((goBackwards, direction) => {
    const states = Array.from({ length: kinds[kind].states }, (_, state) =>
      initialState(builder, node, own, 5 + state, direction),
    );
    const args = { units, useBias: own.bias !== undefined, goBackwards, returnSequences, returnState };
    const tensors = builder.applyWithStates(
      node,
      [x.tensor, ...filled(builder, node, own, states).map(({ tensor }) => tensor)],
      [kind, direction, args, activations, own.isResetAfter],
      (name) => makeLayer(own, args, activations[direction]!, name),
      weightsOf(own, direction),
    );
    const physical = [batch, time, hidden];
    const sequence: Signal = {
      kind: "signal",
      tensor: tensors[0]!,
      axes: physical,
      physical,
      type: "float",
      isRaw: false,
    };
    const [turned] =
      goBackwards && returnSequences
        ? builder.operation(node, "flip", { x: sequence, axis: 1 }, [sequence])
        : [sequence];
    return { sequence: (turned as Signal).tensor, states: tensors.slice(1) };
  });
  const joined = (tensors: readonly tfl.SymbolicTensor[]): tfl.SymbolicTensor =>
    tensors.length === 1
      ? tensors[0]!
      : builder.apply(node, new Concatenate({ name: builder.layerName(node, ".directions"), axis: -1 }), tensors)[0]!;
  const result = (tensor: tfl.SymbolicTensor, axes: Axis[], physical: Axis[]): Signal => ({
    kind: "signal",
    tensor,
    axes,
    physical,
    type: "float",
    isRaw: false,
  });
  const last = [...dirs, ...hidden];
  const stateAxes = isBatchFirst ? [batch, dirs, hidden] : [dirs, batch, hidden];
  const y = joined(parts.map(({ sequence }) => sequence));
  const sequences = isBatchFirst ? [batch, time, dirs, hidden] : [time, dirs, batch, hidden];
  const states = parts[0]!.states.map((_, state) =>
    result(joined(parts.map((part) => part.states[state]!)), stateAxes, [batch, last]),
  );
  return [result(y, sequences, [batch, time, last]), ...states];
}

/** An LSTM takes both states or none: zeros stand for one that is left out. */
function filled(
  builder: Builder,
  node: OnnxNode,
  { x, units, isBatchFirst }: Recurrence,
  states: readonly (Signal | undefined)[],
): Signal[] {
  if (states.every((state) => state === undefined)) return [];
  const [batch, hidden] = [x.axes[isBatchFirst ? 0 : 1]!, newAxis(units)];
  const result = { axes: [batch, hidden], physical: [batch, hidden], type: "float" as const };
  const zeros = constantOf([1, units], "float", new Float32Array(units));
  return states.map(
    (state) => state ?? (builder.operation(node, "repeatlike", { x: zeros, like: x }, [result])[0] as Signal),
  );
}

export const recurrences: Readonly<Record<string, Read>> = {
  LSTM: (builder, node) => recurrent(builder, node, "LSTM"),
  GRU: (builder, node) => recurrent(builder, node, "GRU"),
  RNN: (builder, node) => recurrent(builder, node, "RNN"),
};
