import type * as tfl from "@tensorflow/tfjs-layers";
import type { NamedTensor } from "../../bytes/named-tensor.ts";

/** A Keras layer that does what a tfjs layer does, or a part of it. */
export interface KerasPart {
  readonly className: string;
  /** The configuration as Keras writes it, without `name` and `trainable`. */
  readonly config: Readonly<Record<string, unknown>>;
  /**
   * Indices of its inputs: first the layer's inputs, then the previous parts. By default all inputs, or the previous
   * part.
   */
  readonly takes?: readonly number[];
  /** Weights that the tfjs layer holds as constants. */
  readonly weights?: readonly NamedTensor[];
  readonly operation?: KerasCall;
  /** The argument that each input is; undefined for an input that its place tells. */
  readonly roles?: readonly (string | undefined)[];
  /** Other arguments of the layer's calls. */
  readonly options?: Config;
  /** The Python module of a layer class of Keras outside `keras.layers`, which an .h5 cannot name. */
  readonly module?: string;
  /** Calls the layer with `training=True`. */
  readonly training?: boolean;
  /** The layers within this layer that hold its weights in Keras 3: their paths, and the number of weights of each. */
  readonly inside?: readonly (readonly [path: string, count: number])[] | undefined;
}

/** A call of a function of `keras.ops`. */
export interface KerasCall {
  readonly module: string;
  /** The arguments after its tensor, such as numbers. */
  readonly numbers?: readonly unknown[];
  /** All arguments instead, with `{ slot: i }` for the layer's input i. */
  readonly args?: readonly unknown[];
  readonly config?: Config;
}

/** Facts about a layer's input that its exporter needs. */
export interface ExportContext {
  readonly inputShape: readonly (number | null)[];
  readonly inputCount: number;
  /** Whether no value of the input can be below zero, so that zero padding never wins a maximum. */
  readonly neverNegative: boolean;
  refuse(problem: string): never;
  /** The parts of a layer within this layer. */
  exportInner(layer: tfl.layers.Layer): KerasPart[];
  exportModel(model: tfl.LayersModel): ModelWithin;
}

/** A model that a layer holds, as a `.keras` file has it. */
export interface ModelWithin {
  readonly value: object;
  readonly weights: readonly NamedTensor[];
  readonly inside: readonly (readonly [path: string, count: number])[];
}

/** The paths of a layer's weights below a path. */
export const below = (path: string, { inside }: Pick<KerasPart, "inside">, count: number): [string, number][] =>
  (inside ?? [["", count] as const]).map(([inner, own]) => [inner === "" ? path : `${path}/${inner}`, own]);

export type Config = Readonly<Record<string, unknown>>;

/** Makes the Keras layers for one layer, from its configuration with Python's names. */
export type Export = (config: Config, context: ExportContext, layer: tfl.layers.Layer) => KerasPart[];
