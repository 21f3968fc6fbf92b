import * as tf from "@tensorflow/tfjs-core";
import type { layers, LayersModel } from "@tensorflow/tfjs-layers";

interface Activated extends layers.Layer {
  activation: { getClassName(): string };
}

/**
 * Applies a model without the softmax or sigmoid of its output layers: losses from logits are exact where a
 * probability would round to 0 or 1, and cost less. `[n, h, w, c] -> [n, outputs]`, one tensor an output.
 */
export function applyLogits(
  model: LayersModel,
  images: tf.Tensor,
  options: { readonly training?: boolean } = {},
): tf.Tensor2D[] {
  // A sequential model knows its output layers only when it has been built.
  const outputLayers = model.outputLayers?.length > 0 ? model.outputLayers : model.layers.slice(-1);
  const ends = outputLayers.filter(endsInProbabilities) as Activated[];
  const kept = ends.map((layer) => layer.activation);
  const linear = { apply: <T>(x: T): T => x, getClassName: () => "linear", getConfig: () => ({}) };
  for (const layer of ends) layer.activation = linear;
  try {
    const outputs = [model.apply(images, { training: options.training ?? false })].flat() as tf.Tensor2D[];
    // A Softmax layer cannot be switched off, but the logarithms of probabilities are logits too.
    return outputs.map((output, index) =>
      outputLayers[index]?.getClassName() === "Softmax" ? tf.log(tf.clipByValue(output, 1e-7, 1)) : output,
    );
  } finally {
    ends.forEach((layer, index) => (layer.activation = kept[index]!));
  }
}

/** Whether a layer's last act is a softmax or a sigmoid, so that what comes before is a logit. */
function endsInProbabilities(layer: layers.Layer): boolean {
  const name = (layer as Partial<Activated>).activation?.getClassName();
  return name === "softmax" || name === "sigmoid";
}
