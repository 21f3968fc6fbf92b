import { opAttributes, tensorFlowBackend } from "@convkit/core";
import type { Batch } from "@convkit/datasets";
import { executable, type ExecutionOptions, isTracing } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { withFrozenNorms } from "../model/frozen-norms.ts";
import { preparedBatch, type StepParts } from "./training-loss.ts";

/** Returns the loss. In a graph, the step fails before it changes a weight if the loss is not finite. `[] -> []` */
export function guardedLoss(loss: tf.Scalar): tf.Scalar {
  if (!isTracing()) return loss;
  const backend = tensorFlowBackend()!;
  const attributes = opAttributes(backend, {
    TYPE: { T: backend.binding["TF_FLOAT"] },
    STRING: { message: "the loss" },
  });
  const checked = backend.executeSingleOutput("CheckNumerics", attributes, [loss]);
  // The factor is 1 and depends on the check, so that all gradients wait for it.
  return tf.mul(loss, tf.add(tf.mul(checked, 0), 1));
}

/** True if a graph failed because a guarded loss was not finite. */
export function isBadLoss(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("CheckNumerics failed");
}

/** The origin of a loss that is not finite. */
export interface BadLoss {
  /** The index of the batch; undefined if it is not known. */
  readonly place: number | undefined;
  /** Part of a sentence: the first layer whose output is not finite, or the previous update. */
  readonly where: string;
}

/** Runs a failed step's batches through the model again and checks the output of every layer. */
export async function traceNonFiniteLoss(
  parts: StepParts,
  batches: readonly Batch[],
  execution?: ExecutionOptions,
): Promise<BadLoss> {
  const { model } = parts;
  const every = tfl.model({ inputs: model.inputs, outputs: computedTensors(model) });
  const spoilt = await spoiltWeights(model);
  const cause =
    spoilt === undefined ? "" : `, since the update before spoilt the weights of ${spoilt} and of layers before it`;
  // Non-finite weights make every batch fail.
  const known = (place: number) => (batches.length === 1 || spoilt === undefined ? place : undefined);
  const forward = executable((...fed) => {
    const { inputs, ...batch } = parts.layout.tensors(fed);
    const { images: pixels } = preparedBatch(parts, batch);
    const given = inputs.length === 0 ? pixels : [pixels, ...inputs];
    const outputs = withFrozenNorms(model, () => [every.apply(given, { training: true })].flat() as tf.Tensor[]);
    return [tf.stack(outputs.map((output) => tf.cast(tf.all(tf.isFinite(output)), "float32")))];
  }, execution);
  try {
    for (const [place, batch] of batches.entries()) {
      const [finite] = await forward.run(parts.layout.feeds(batch));
      const index = finite!.data.indexOf(0);
      if (index !== -1)
        return {
          place: known(place),
          where: `the first layer whose output is not finite is ${every.outputs[index]!.sourceLayer.name}${cause}`,
        };
    }
  } finally {
    await forward.dispose();
  }
  return { place: batches.length === 1 ? 0 : undefined, where: `the output of every layer is finite${cause}` };
}

/** All tensors of a model in the order of computation. */
function computedTensors(model: tfl.LayersModel): tfl.SymbolicTensor[] {
  const ordered = new Set<tfl.SymbolicTensor>();
  const visit = (tensor: tfl.SymbolicTensor) => {
    if (ordered.has(tensor)) return;
    const inputs = tensor.sourceLayer.inboundNodes[tensor.nodeIndex]?.inputTensors ?? [];
    for (const input of inputs) if (input !== tensor) visit(input);
    ordered.add(tensor);
  };
  for (const output of model.outputs) visit(output);
  return [...ordered];
}

/**
 * The last layer with a weight that is not finite. Gradients are computed from the last layer to the first, so this
 * layer had the first non-finite gradient.
 */
async function spoiltWeights(model: tfl.LayersModel): Promise<string | undefined> {
  for (const layer of model.layers.toReversed()) {
    const values = await Promise.all(layer.trainableWeights.map((weight) => weight.read().data<"float32">()));
    if (values.some((each) => each.some((value) => !Number.isFinite(value)))) return layer.name;
  }
  return undefined;
}
