import * as tf from "@tensorflow/tfjs-core";

/** How Pillow blurs a line once: a box of `2 * inner + 1` pixels of one weight and the next two pixels of another. */
interface Box {
  readonly inner: number;
  /** The weight of each pixel of the box, in 2^-24. */
  readonly weight: number;
  /** The weight of the next pixels, in 2^-24. */
  readonly edge: number;
}

/** The box whose three passes are Pillow's ImageFilter.GaussianBlur of a radius below 2.2, in the float32 of its code. */
function boxOf(radius: number): Box {
  const f = Math.fround;
  const variance = f(f(f(radius) * f(radius)) / 3);
  const length = f(Math.sqrt(12 * variance + 1));
  const inner = Math.floor((length - 1) / 2);
  const share = f(
    f((2 * inner + 1) * f(inner * (inner + 1) - f(3 * variance))) / f(6 * f(variance - (inner + 1) * (inner + 1))),
  );
  const box = f(inner + share);
  const weight = Math.trunc(f(2 ** 24 / f(f(box * 2) + 1)));
  return { inner, weight, edge: Math.floor((2 ** 24 - (inner * 2 + 1) * weight) / 2) };
}

/**
 * Blurs each image with radius number `chosen` (`[n]` int32) of `radii`, to the bytes of Pillow's GaussianBlur: three
 * passes along rows, then three along columns. Radii are below 2.2, where Pillow's boxes have up to five pixels. `images`
 * are whole numbers from 0 to 255, `[n, h, w, c] -> [n, h, w, c]`.
 */
export function gaussianBlur(images: tf.Tensor4D, radii: readonly number[], chosen: tf.Tensor): tf.Tensor4D {
  return tf.tidy(() => {
    const boxes = radii.map(boxOf);
    const each = (values: readonly number[]) =>
      tf.reshape(tf.gather(tf.tensor1d([...values]), chosen), [images.shape[0], 1, 1, 1]);
    const high = (value: number) => Math.floor(value / 4096);
    const low = (value: number) => value % 4096;
    const weights = {
      inner: each(boxes.map(({ inner }) => inner)),
      weight: [each(boxes.map(({ weight }) => high(weight))), each(boxes.map(({ weight }) => low(weight)))] as const,
      edge: [each(boxes.map(({ edge }) => high(edge))), each(boxes.map(({ edge }) => low(edge)))] as const,
    };
    let blurred = images;
    for (const axis of [2, 1] as const) for (let pass = 0; pass < 3; pass++) blurred = blurOnce(blurred, axis, weights);
    return blurred;
  });
}

interface Weights {
  readonly inner: tf.Tensor;
  /** The upper and the lower 12 bits of the weights: their products with sums of bytes are exact in float32. */
  readonly weight: readonly [tf.Tensor, tf.Tensor];
  readonly edge: readonly [tf.Tensor, tf.Tensor];
}

function blurOnce(images: tf.Tensor4D, axis: 1 | 2, { inner, weight, edge }: Weights): tf.Tensor4D {
  const size = images.shape[axis];
  const shifted = (by: number) => {
    const places = Array.from({ length: size }, (_, i) => Math.min(Math.max(i + by, 0), size - 1));
    return tf.gather(images, tf.tensor1d(places, "int32"), axis);
  };
  const [near, far] = [tf.add(shifted(-1), shifted(1)), tf.add(shifted(-2), shifted(2))];
  const box = tf.add(images, tf.mul(near, inner));
  const next = tf.add(near, tf.mul(tf.sub(far, near), inner));
  const sum = (part: 0 | 1) => tf.add(tf.mul(box, weight[part]), tf.mul(next, edge[part]));
  // (sum + 2^23) / 2^24, whose lower 12 bits only carry.
  const carried = tf.add(tf.add(sum(0), tf.floor(tf.div(sum(1), 4096))), 2048);
  return tf.floor(tf.div(carried, 4096)) as tf.Tensor4D;
}
