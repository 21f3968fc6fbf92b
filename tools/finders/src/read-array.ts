import { openWeights } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";

/** The array of an .npy file. */
export async function readArray(path: string): Promise<tf.Tensor> {
  const file = await openWeights(path);
  const { shape, read } = file.tensors[0]!;
  const data = read();
  file.close();
  return tf.tensor(data, [...shape]);
}
