import * as tf from "@tensorflow/tfjs-core";
import { opAttributes, tensorFlowBackend } from "../tfjs/tensorflow-backend.ts";
import { uniformValues } from "./random.ts";

/**
 * Draws numbers from 0 to 1 for a layer. They depend on the layer's seed and the number of its call, which `stream` (`[2]`)
 * counts. On TensorFlow, TensorFlow draws them, so that a step compiled to a graph draws new numbers at every run.
 */
export function drawUniform(stream: tf.Variable, shape: number[]): tf.Tensor {
  const backend = tensorFlowBackend();
  if (backend === undefined) {
    const length = shape.reduce((product, size) => product * size, 1);
    const [seed = 0, before = 0] = stream.dataSync<"int32">();
    stream.assign(tf.tensor1d([seed, before + 1], "int32"));
    return tf.tensor(uniformValues(length, 0, 1, seed + Math.imul(before + 1, 0x9e3779b9)), shape);
  }
  stream.assign(tf.add(stream, tf.tensor1d([0, 1], "int32")));
  const { TF_FLOAT, TF_INT32 } = backend.binding;
  const attributes = opAttributes(backend, { TYPE: { dtype: TF_FLOAT, T: TF_INT32, Tseed: TF_INT32 } });
  return backend.executeSingleOutput("StatelessRandomUniform", attributes, [tf.tensor1d(shape, "int32"), stream]);
}
