import type { Pixels } from "@convkit/inspect";
import { type BatchAugmentation, planAugmentation } from "@convkit/trainer";
import * as tf from "@tensorflow/tfjs-core";
import { augmentationPlan } from "./augmentation-plan.ts";
import type { Augmentation } from "./compute.ts";
import { drawable, squarePixels } from "./pictures.ts";

/** Changes pictures `[n, h, w, c]` of 0 to 255, as a training does. */
export function changed(images: tf.Tensor4D, change: BatchAugmentation | undefined): tf.Tensor4D {
  if (change === undefined) return tf.clone(images);
  return tf.tidy(() => change(images, tf.zeros([images.shape[0], 1])).images);
}

/** The sides of the examples, in pixels. */
const exampleSize = 96;

/** A picture as a network would see it in training, `count` times. */
export async function augmentedPictures(picture: Blob, augmentation: Augmentation, count: number): Promise<Pixels[]> {
  const { data, shape } = await squarePixels(picture, exampleSize);
  const plan = augmentationPlan(augmentation);
  const change = plan && planAugmentation(plan, 1);
  const images = tf.tidy(() => {
    const one = tf.tensor4d(data, [1, ...shape], "float32");
    return changed(tf.tile(one, [count, 1, 1, 1]), change);
  });
  const values = await images.data();
  images.dispose();
  const each = data.length;
  return Array.from({ length: count }, (_, i) => drawable(values.subarray(i * each, (i + 1) * each), exampleSize));
}
