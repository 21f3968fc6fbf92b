import type { Pixels } from "./resize/resize.ts";

/** The luma of RGB: `[h, w, 3] -> [h, w, 1]`. */
export function lumaOf({ data, shape: [h, w] }: Pixels): Pixels {
  const luma = new Uint8Array(h * w);
  for (let pixel = 0, from = 0; pixel < luma.length; pixel++, from += 3) {
    luma[pixel] = 0.299 * data[from]! + 0.587 * data[from + 1]! + 0.114 * data[from + 2]! + 0.5;
  }
  return { data: luma, shape: [h, w, 1] };
}
