import { hashText, uniformValues } from "@convkit/core/internal";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** Gives every weight of a model the values that tools/golden/models-parity.py gives its peer: a formula of the weight's name. */
export function setSeededWeights(model: tfl.LayersModel, gain: number): void {
  for (const layer of model.layers) {
    for (const weight of layer.weights) {
      const kind = weight.originalName.split("/").at(-1) as string;
      const values = seededValues(`${layer.name}/${kind}`, kind, weight.shape as number[], gain);
      const tensor = tf.tensor(values, weight.shape as number[], weight.dtype as "float32");
      weight.write(tensor);
      tensor.dispose();
    }
  }
}

/** The input of every golden: two images. */
export function seededInput(size: readonly [number, number, number], high: number): tf.Tensor4D {
  const shape: [number, number, number, number] = [2, ...size];
  const length = shape.reduce((product, each) => product * each, 1);
  return tf.tensor4d(uniformValues(length, high === 1 ? -1 : 0, high, hashText("input")), shape);
}

function seededValues(name: string, kind: string, shape: readonly number[], gain: number): Float32Array {
  const length = shape.reduce((product, size) => product * size, 1);
  const seed = hashText(name);
  if (kind.endsWith("kernel")) {
    const fanIn =
      kind === "depthwise_kernel" ? (shape[0] as number) * (shape[1] as number) : length / (shape.at(-1) as number);
    const limit = Math.sqrt((3 * gain) / fanIn);
    return uniformValues(length, -limit, limit, seed);
  }
  if (["gamma", "moving_variance", "variance"].includes(kind)) return uniformValues(length, 0.5, 1.5, seed);
  if (kind === "count") return new Float32Array(length);
  return uniformValues(length, -0.1, 0.1, seed);
}
