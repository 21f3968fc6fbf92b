import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** Layers after a softmax that do not change its values. */
const keepsNumbers = new Set(["Activation", "Dropout", "Flatten", "Identity", "Reshape"]);

/**
 * The activation that produced an output, if it is softmax or sigmoid. Looks through nested models and layers that
 * keep values.
 */
export function endsIn(output: tfl.SymbolicTensor): "softmax" | "sigmoid" | undefined {
  const { sourceLayer: layer, nodeIndex, tensorIndex } = output;
  if ("layers" in layer) return endsIn((layer as tfl.LayersModel).outputs[tensorIndex ?? 0]!);
  const { activation, axis } = layer.getConfig() as { activation?: unknown; axis?: unknown };
  if (layer.getClassName() === "Softmax") return axis === undefined || axis === -1 ? "softmax" : undefined;
  if (activation === "softmax" || activation === "sigmoid") return activation;
  const isPlain = keepsNumbers.has(layer.getClassName()) && (activation === undefined || activation === "linear");
  const node = layer.inboundNodes[nodeIndex ?? 0] as unknown as { readonly inputTensors: tfl.SymbolicTensor[] };
  const [input] = isPlain ? node.inputTensors : [];
  // If the size of the last axis changed, the classes no longer lie along it.
  return input === undefined || input.shape.at(-1) !== output.shape.at(-1) ? undefined : endsIn(input);
}

/** Recovers the logits of a softmax (minus their mean) or sigmoid; returns other outputs unchanged. */
export function logitsOf(output: tf.Tensor, kind: "softmax" | "sigmoid" | undefined): tf.Tensor {
  return tf.tidy(() => {
    if (kind === undefined) return tf.clone(output);
    if (kind === "softmax") {
      const logs = tf.log(tf.maximum(output, 1e-30));
      return tf.sub(logs, tf.mean(logs, -1, true));
    }
    const bounded = tf.clipByValue(output, 1e-6, 1 - 1e-6);
    return tf.log(tf.div(bounded, tf.sub(1, bounded)));
  });
}
