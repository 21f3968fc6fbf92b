import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { openWeights } from "../../src/index.ts";

/** The worst difference between what the model gives for `<base>.x.npy` and what the peer gave, `<base>.y.npy`. */
export async function worstDifference(model: tfl.LayersModel, base: string): Promise<number> {
  const [x, y] = [await readArray(`${base}.x.npy`), await readArray(`${base}.y.npy`)];
  return tf.tidy(() => {
    const result = model.predict(x) as tf.Tensor;
    if (String(result.shape) !== String(y.shape)) throw new Error(`expected shape [${y.shape}], got [${result.shape}]`);
    return tf.max(tf.abs(tf.sub(result, y))).dataSync()[0]!;
  });
}

/** Reads a .npy file as a tensor. */
export async function readArray(path: string): Promise<tf.Tensor> {
  const file = await openWeights(path);
  const { shape, read } = file.tensors[0]!;
  const data = read();
  file.close();
  return tf.tensor(data, [...shape]);
}
