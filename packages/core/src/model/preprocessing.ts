import * as tf from "@tensorflow/tfjs-core";

/** What a network's weights expect of pixels (0 to 255, RGB), in the order of the fields. */
export interface Preprocessing {
  /** Factor on the pixels: 1 / 255 gives 0 to 1. */
  readonly scale?: number;
  readonly order?: "rgb" | "bgr";
  /** Subtracted from each channel, after scaling and reordering. */
  readonly mean?: readonly number[];
  /** Divides each channel, after the mean. */
  readonly std?: readonly number[];
}

/** Pixels as they are, the network scales them itself. */
export const rawPixels: Preprocessing = {};

/** 0 to 1. */
export const unitPixels: Preprocessing = { scale: 1 / 255 };

/** -1 to 1: Keras' "tf" mode. */
export const signedPixels: Preprocessing = { scale: 1 / 127.5, mean: [1] };

/** BGR around ImageNet's mean: Keras' "caffe" mode. */
export const caffePixels: Preprocessing = { order: "bgr", mean: [103.939, 116.779, 123.68] };

/** ImageNet's mean and deviation: Keras' "torch" mode, torchvision's transforms. */
export const torchPixels: Preprocessing = {
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Pixels as a network wants them: `[n, h, w, c] -> [n, h, w, c]`, float32. Throws where the channels do not fit the numbers. */
export function preprocess(pixels: tf.Tensor4D, { scale = 1, order = "rgb", mean, std }: Preprocessing): tf.Tensor4D {
  const channels = pixels.shape[3];
  for (const [field, values] of Object.entries({ mean, std })) {
    if (values !== undefined && values.length !== 1 && values.length !== channels) {
      throw new Error(`preprocess: expected images of ${values.length} channels, as ${field} has, got ${channels}`);
    }
  }
  return tf.tidy(() => {
    let x: tf.Tensor = tf.cast(pixels, "float32");
    if (scale !== 1) x = tf.mul(x, scale);
    if (order === "bgr") x = tf.reverse(x, -1);
    if (mean !== undefined) x = tf.sub(x, mean.length === 1 ? (mean[0] as number) : tf.tensor1d([...mean]));
    if (std !== undefined) x = tf.div(x, std.length === 1 ? (std[0] as number) : tf.tensor1d([...std]));
    return x as tf.Tensor4D;
  });
}
