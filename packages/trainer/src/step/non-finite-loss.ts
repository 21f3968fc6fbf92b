import { opAttributes, tensorFlowBackend } from "@convkit/core";
import type { Batch } from "@convkit/datasets";
import { executable, type ExecutionOptions, isTracing } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { preparedBatch, type StepParts } from "./training-loss.ts";

/**
 * The loss, from which gradients are taken only if it is finite: in a graph the step fails before it changes a weight,
 * at the cost of a check of one number. `[] -> []`
 */
export function guardedLoss(loss: tf.Scalar): tf.Scalar {
  if (!isTracing()) return loss;
  const backend = tensorFlowBackend()!;
  const attributes = opAttributes(backend, {
    TYPE: { T: backend.binding["TF_FLOAT"] },
    STRING: { message: "the loss" },
  });
  const checked = backend.executeSingleOutput("CheckNumerics", attributes, [loss]);
  // One, but only after the check; what gradients begin with is multiplied by it.
  return tf.mul(loss, tf.add(tf.mul(checked, 0), 1));
}

/** Whether a graph failed since a guarded loss was not finite. */
export function isBadLoss(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("CheckNumerics failed");
}

/** What is known of a loss that is not finite. */
export interface BadLoss {
  /** Which of the batches made it; undefined where any of them may have. */
  readonly place: number | undefined;
  /** Where numbers went wrong, as half a sentence. */
  readonly where: string;
}

/** Goes through the model layer by layer with the batches of a step that failed, whose weights it has not changed. */
export async function traceBadLoss(
  parts: StepParts,
  batches: readonly Batch[],
  execution?: ExecutionOptions,
): Promise<BadLoss> {
  const { model } = parts;
  const every = tfl.model({
    inputs: model.inputs,
    outputs: model.layers.flatMap((layer) => layer.getOutputAt(0)),
  });
  const spoilt = await spoiltWeights(model);
  const told =
    spoilt === undefined ? "" : `, since the update before spoilt the weights of ${spoilt} and of layers before it`;
  // Spoilt weights make every batch fail.
  const known = (place: number) => (batches.length === 1 || spoilt === undefined ? place : undefined);
  const forward = executable((images, labels) => {
    const { images: pixels } = preparedBatch(parts, images as tf.Tensor4D, labels as tf.Tensor1D);
    const outputs = [every.apply(pixels, { training: true })].flat() as tf.Tensor[];
    return [tf.stack(outputs.map((output) => tf.cast(tf.all(tf.isFinite(output)), "float32")))];
  }, execution);
  try {
    for (const [place, { images, shape, labels }] of batches.entries()) {
      const [finite] = await forward.run([
        { data: images, shape },
        { data: labels, shape: [labels.length] },
      ]);
      const index = finite!.data.indexOf(0);
      if (index !== -1)
        return {
          place: known(place),
          where: `the first layer whose output is not finite is ${every.outputs[index]!.sourceLayer.name}${told}`,
        };
    }
  } finally {
    await forward.dispose();
  }
  return { place: batches.length === 1 ? 0 : undefined, where: `the output of every layer is finite${told}` };
}

/** The last layer with a weight that is not finite: its gradient, which goes from the last layer to the first, was spoilt there. */
async function spoiltWeights(model: tfl.LayersModel): Promise<string | undefined> {
  for (const layer of model.layers.toReversed()) {
    const values = await Promise.all(layer.trainableWeights.map((weight) => weight.read().data<"float32">()));
    if (values.some((each) => each.some((value) => !Number.isFinite(value)))) return layer.name;
  }
  return undefined;
}
