import type { Batch, Dataset } from "@convkit/datasets";
import type { Feed } from "@convkit/graph";
import type * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { classTarget, inputNames, targetsOf } from "../objective/output-tasks.ts";

/** The tensors of a batch. */
export interface BatchTensors {
  readonly images: tf.Tensor4D;
  /** The model's further inputs, in the model's order. */
  readonly inputs: readonly tf.Tensor[];
  /** The targets by name. */
  readonly targets: Readonly<Record<string, tf.Tensor>>;
  /** For each output, factors for the loss of each image; undefined if all are 1. */
  readonly weights: readonly tf.Tensor1D[] | undefined;
}

/** The order in which a batch's arrays go into the graph. */
export interface BatchLayout {
  /** The arrays of a batch. */
  feeds(batch: Batch, weights?: readonly Float32Array[]): Feed[];
  /** The tensors that the graph gets for them. */
  tensors(fed: readonly tf.Tensor[]): BatchTensors;
}

/** The layout of a data set's batches for a model. */
export function batchLayout(
  model: Pick<LayersModel, "inputs">,
  data: Pick<Dataset, "targets" | "inputs" | "classes">,
): BatchLayout {
  const targets = Object.entries(targetsOf(data));
  const inputs = data.inputs === undefined ? [] : inputNames(model).slice(1);
  return {
    feeds(batch, weights = []) {
      const n = batch.labels.length;
      const values = (name: string) =>
        data.targets === undefined && name === classTarget ? batch.labels : batch.targets![name]!;
      return [
        { data: batch.images, shape: batch.shape },
        ...inputs.map((name) => ({ data: batch.inputs![name]!, shape: [n, ...data.inputs![name]!] })),
        ...targets.map(([name, { shape }]) => ({ data: values(name), shape: [n, ...shape] })),
        ...weights.map((each) => ({ data: each, shape: [n] })),
      ];
    },
    tensors([images, ...fed]) {
      const rest = fed.slice(inputs.length);
      const weights = rest.slice(targets.length) as tf.Tensor1D[];
      return {
        images: images as tf.Tensor4D,
        inputs: fed.slice(0, inputs.length),
        targets: Object.fromEntries(targets.map(([name], place) => [name, rest[place]!])),
        weights: weights.length === 0 ? undefined : weights,
      };
    },
  };
}
