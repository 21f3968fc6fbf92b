import type { TransformAttrs } from "@tensorflow/tfjs-core";

import { input, output, type Kernel } from "../runtime/kernel-context.ts";

/**
 * `[n, h, w, c] -> [n, oh, ow, c]`: projects each output pixel to an input position. With `reflect` the stock kernel
 * reads beyond the edge; this one mirrors the coordinate there, as TensorFlow's ImageProjectiveTransformV3 does. The
 * other modes are left to `stock`.
 */
export function transform(stock: Kernel): Kernel {
  return (inputs, attrs, context) => {
    const { fillMode, interpolation, outputShape } = attrs as unknown as TransformAttrs;
    if (fillMode !== "reflect") return stock(inputs, attrs, context);
    const [image, transforms] = [input(inputs, "image"), input(inputs, "transforms")];
    const [batch, height, width, channels] = image.shape as [number, number, number, number];
    const [outHeight, outWidth] = outputShape ?? [height, width];
    const out = output(context, [batch, outHeight, outWidth, channels], image.dtype);
    const { backend } = context;
    const [to, from, rows] = [out, image, transforms].map((tensor) => backend.typedArrayFromHeap(tensor)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    let at = 0;
    for (let n = 0; n < batch; n++) {
      const row = rows.subarray(transforms.shape[0] === 1 ? 0 : n * 8);
      const [a0, a1, a2, b0, b1, b2, c0, c1] = row as unknown as number[] as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const pixel = (y: number, x: number, c: number): number =>
        from[((n * height + Math.min(y, height - 1)) * width + Math.min(x, width - 1)) * channels + c]!;
      for (let outY = 0; outY < outHeight; outY++) {
        for (let outX = 0; outX < outWidth; outX++) {
          const scale = c0 * outX + c1 * outY + 1;
          const x = mirrored((a0 * outX + a1 * outY + a2) / scale, width);
          const y = mirrored((b0 * outX + b1 * outY + b2) / scale, height);
          for (let c = 0; c < channels; c++) {
            to[at++] = interpolation === "nearest" ? pixel(nearest(y), nearest(x), c) : between(pixel, y, x, c);
          }
        }
      }
    }
    return out;
  };
}

type Pixel = (y: number, x: number, c: number) => number;

/** Bilinear interpolation between four pixels. */
function between(pixel: Pixel, y: number, x: number, c: number): number {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, right] = [y - top, x - left];
  const above = pixel(top, left, c) * (1 - right) + pixel(top, left + 1, c) * right;
  const below = pixel(top + 1, left, c) * (1 - right) + pixel(top + 1, left + 1, c) * right;
  return above * (1 - down) + below * down;
}

/** A coordinate mirrored at both edges, which count twice: `d c b a | a b c d | d c b a`. */
function mirrored(coordinate: number, length: number): number {
  if (length <= 1) return 0;
  const period = 2 * length;
  let place = coordinate;
  if (place < 0) {
    if (place < period) place += period * Math.trunc(-place / period);
    place = place < -length ? place + period : -place - 1;
  } else if (place > length - 1) {
    place -= period * Math.trunc(place / period);
    if (place >= length) place = period - place - 1;
  }
  return Math.max(0, Math.min(length - 1, place));
}

/** Rounds to the nearest whole number, halves up; coordinates are never negative here. */
function nearest(value: number): number {
  return Math.floor(value + 0.5);
}
