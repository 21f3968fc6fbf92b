import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/**
 * The class of a layer made by a function of tfjs-layers, which does not export its classes. A subclass that replaces a
 * stock layer inherits its weights, its configuration and its class name in saved files.
 */
export function stockClass<Args, Fields = object>(sample: tfl.layers.Layer): StockClass<Args, Fields> {
  return sample.constructor as unknown as StockClass<Args, Fields>;
}

export type StockClass<Args, Fields> = (abstract new (args: Args) => StockLayer & Fields) & { className: string };

export type StockLayer = tfl.layers.Layer;

/** The tensor of a layer with one input. */
export function onlyTensor(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
}

/** The input shape of a layer with one input. */
export function onlyShape(shape: tfl.Shape | tfl.Shape[]): (number | null)[] {
  return (Array.isArray(shape[0]) ? shape[0] : shape) as (number | null)[];
}

/** The options of a layer's `call`. */
export interface CallOptions {
  training?: boolean;
  /** The mask of a sequence, `[n, steps]`; none by default. */
  mask?: tf.Tensor | tf.Tensor[] | null;
}
