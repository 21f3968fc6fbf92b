import { modelMetadata, setModelMetadata } from "@convkit/core";
import { headInput } from "@convkit/core/internal";
import type { Dataset, Target } from "@convkit/datasets";
import { checkOptions } from "@convkit/errors";
import * as tfl from "@tensorflow/tfjs-layers";
import { targetsOf } from "../objective/output-tasks.ts";
import { TrainerError } from "../trainer-error.ts";

/** Options of `taskHeads`. */
export interface TaskHeadsOptions {
  /** Seed of the new layers' weights; 0 by default. */
  readonly seed?: number | undefined;
}

/**
 * The model with an output for each target of a data set, on the features of its classifier: a softmax for a class, a
 * sigmoid for labels, plain numbers for numbers. The new layers have the targets' names; all layers before them are
 * shared, and the metadata stay but for the classes. Throws a `TrainerError` for masks, which need a network of their own.
 */
export function taskHeads(
  model: tfl.LayersModel,
  data: Pick<Dataset, "name" | "targets" | "classes">,
  options: TaskHeadsOptions = {},
): tfl.LayersModel {
  checkOptions("taskHeads", options, { seed: true }, (message) => new TrainerError(message));
  const { seed = 0 } = options;
  const features = pooled(headInput(model));
  const outputs = Object.entries(targetsOf(data)).map(([name, { kind, names }], place) => {
    if (kind === "mask")
      throw new TrainerError(
        `taskHeads: ${name} of ${data.name} is a mask, which needs a network that gives an image of the same size, such as unet.`,
      );
    return tfl.layers
      .dense({
        name,
        units: names.length,
        activation: activations[kind],
        kernelInitializer: tfl.initializers.glorotUniform({ seed: seed + place }),
      })
      .apply(features) as tfl.SymbolicTensor;
  });
  const { classes: _classes, thresholds: _thresholds, outputWeights: _weights, ...metadata } = modelMetadata(model);
  return setModelMetadata(tfl.model({ inputs: model.inputs, outputs, name: model.name }), metadata);
}

const activations: Readonly<Record<Exclude<Target["kind"], "mask">, "softmax" | "sigmoid" | "linear">> = {
  class: "softmax",
  labels: "sigmoid",
  numbers: "linear",
};

/** One row of features an image. */
function pooled(features: tfl.SymbolicTensor): tfl.SymbolicTensor {
  if (features.rank === 2) return features;
  return tfl.layers.globalAveragePooling2d({ name: "features" }).apply(features) as tfl.SymbolicTensor;
}
