import * as tfl from "@tensorflow/tfjs-layers";
import { ResetAfterGRU } from "../../../../layers/recurrent.ts";
import type { Builder, WeightValues } from "../builder.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { activationNames, kinds } from "./recurrence.ts";
import type { Recurrence } from "./recurrence.ts";

/** The activations of each direction: of the gates, and of the new state. */
export function activationsOf(builder: Builder, node: OnnxNode, kind: keyof typeof kinds, count: number): string[][] {
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
export function weightsOf(
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

export function makeLayer(
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
