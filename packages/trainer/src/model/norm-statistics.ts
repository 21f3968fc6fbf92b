import * as tf from "@tensorflow/tfjs-core";
import type { layers, LayersModel, LayerVariable } from "@tensorflow/tfjs-layers";
import { isModel } from "./named-weights.ts";

/** A batch normalization that learns, with its moving statistics. */
interface Norm extends layers.Layer {
  momentum: number;
  readonly movingMean: LayerVariable;
  readonly movingVariance: LayerVariable;
}

/** Batch normalizations in a model, also in nested models; frozen ones keep their statistics and are left out. */
function learningNorms(model: LayersModel): Norm[] {
  return model.layers.flatMap((layer) => {
    if (!layer.trainable) return [];
    if (isModel(layer)) return learningNorms(layer);
    return layer.getClassName() === "BatchNormalization" ? [layer as Norm] : [];
  });
}

/** The variables of the moving statistics of a model's batch normalizations, frozen ones too. */
export function movingStatistics(model: LayersModel): Set<tf.Variable> {
  const norms = (container: LayersModel): Norm[] =>
    container.layers.flatMap((layer) =>
      isModel(layer) ? norms(layer) : layer.getClassName() === "BatchNormalization" ? [layer as Norm] : [],
    );
  return new Set(
    norms(model)
      .flatMap(({ movingMean, movingVariance }) => [movingMean, movingVariance])
      .map((weight) => weight.read() as tf.Variable),
  );
}

/**
 * Means of the batches' statistics of each batch normalization, each batch with the same weight, as PyTorch's
 * `swa_utils.update_bn`. The variance of a batch is the population's, as in Keras; PyTorch takes the sample's.
 */
export class NormStatistics {
  readonly #norms: readonly { readonly norm: Norm; readonly sums: readonly [tf.Variable, tf.Variable] }[];
  readonly #calls: readonly tf.Variable[];

  constructor(model: LayersModel) {
    const zeros = (weight: LayerVariable) => tf.tidy(() => tf.variable(tf.zerosLike(weight.read()), false));
    this.#norms = learningNorms(model).map((norm) => ({
      norm,
      sums: [zeros(norm.movingMean), zeros(norm.movingVariance)],
    }));
    this.#calls = this.#norms.map(() => tf.tidy(() => tf.variable(tf.scalar(0), false)));
  }

  /** True if the model has no norm that learns. */
  get isEmpty(): boolean {
    return this.#norms.length === 0;
  }

  /** Runs `fn`, which applies the model in training, and adds the statistics of its batch. */
  observe(fn: () => void): void {
    const momenta = this.#norms.map(({ norm }) => norm.momentum);
    for (const [index, { norm, sums }] of this.#norms.entries()) {
      // With momentum 0, the moving statistics after a call are those of its batch.
      norm.momentum = 0;
      const call = norm.call.bind(norm);
      norm.call = (inputs, options) => {
        const made = call(inputs, options);
        for (const [place, weight] of [norm.movingMean, norm.movingVariance].entries())
          sums[place]!.assign(tf.add(sums[place]!, weight.read()));
        this.#calls[index]!.assign(tf.add(this.#calls[index]!, 1));
        return made;
      };
    }
    try {
      fn();
    } finally {
      for (const [index, { norm }] of this.#norms.entries()) {
        norm.momentum = momenta[index]!;
        // Deleting the own property makes the class's method visible again.
        delete (norm as Partial<layers.Layer>).call;
      }
    }
  }

  /** Gives the norms the means as their moving statistics. */
  adopt(): void {
    for (const [index, { norm, sums }] of this.#norms.entries())
      for (const [place, weight] of [norm.movingMean, norm.movingVariance].entries())
        (weight.read() as tf.Variable).assign(tf.div(sums[place]!, this.#calls[index]!));
  }

  dispose(): void {
    tf.dispose([...this.#norms.flatMap(({ sums }) => [...sums]), ...this.#calls]);
  }
}
