import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** What a model gives for two fixed images of its size. The numbers are the same wherever it runs. */
export async function logitsOf(model: tfl.LayersModel): Promise<number[]> {
  const shape = [2, ...(model.inputs[0]!.shape.slice(1) as number[])];
  const values = Float32Array.from({ length: shape.reduce((product, size) => product * size) }, (_, at) =>
    Math.sin(at),
  );
  const input = tf.tensor(values, shape);
  const output = model.predict(input) as tf.Tensor;
  try {
    return [...(await output.data())];
  } finally {
    tf.dispose([input, output]);
  }
}
