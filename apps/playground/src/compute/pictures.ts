import { preprocess, type Preprocessing } from "@convkit/core";
import { decodeImage, type Pixels } from "@convkit/datasets";
import type { Pixels as Picture } from "@convkit/inspect";
import * as tf from "@tensorflow/tfjs-core";

/** How pictures become a network's input: the middle square, by averages where it shrinks. Model files say so, too. */
export function fitTo(size: number) {
  return { size: [size, size], resize: "antialiased", crop: true } as const;
}

/** The pixels of a picture as a network of `size` sees it: RGB, 0 to 255. Throws a DataError for what is no picture. */
export async function squarePixels(picture: Blob, size: number): Promise<Pixels> {
  return decodeImage(new Uint8Array(await picture.arrayBuffer()), fitTo(size));
}

/** Pixels as a network's input: `[1, h, w, c]`. */
export function inputOf({ data, shape }: Pixels, preprocessing: Preprocessing): tf.Tensor4D {
  return tf.tidy(() => preprocess(tf.tensor4d(data, [1, ...shape], "int32"), preprocessing));
}

/** Bytes `[h, w, 3]` as a picture that the page can draw. */
export function drawable(bytes: ArrayLike<number>, size: number): Picture {
  const data = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let pixel = 0; pixel < size * size; pixel++) {
    for (let color = 0; color < 3; color++) data[pixel * 4 + color] = bytes[pixel * 3 + color]!;
  }
  return { width: size, height: size, data };
}
