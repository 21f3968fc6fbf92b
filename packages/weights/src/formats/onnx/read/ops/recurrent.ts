import type * as tfl from "@tensorflow/tfjs-layers";
import { Concatenate } from "../../../../layers/joins.ts";
import { plain } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import { constantOf } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { newAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import type { Value } from "../value.ts";
import type { Read } from "./read.ts";
import { isZero, kinds, recurrenceOf } from "./recurrence.ts";
import type { Recurrence } from "./recurrence.ts";
import { activationsOf, makeLayer, weightsOf } from "./recurrent-layers.ts";

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
