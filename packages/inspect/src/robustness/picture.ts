/** One channel of an image, `[h, w]`, with values from 0 to 1. */
export interface Plane {
  readonly height: number;
  readonly width: number;
  readonly values: Float64Array;
}

/** An image as numbers from 0 to 1, `[h, w, c]`. */
export interface Picture extends Plane {
  readonly channels: number;
}

/** Random numbers of an image: the same for the same seed. */
export interface Draws {
  /** Mean 0 and deviation 1. */
  normal(count: number): ArrayLike<number>;
  /** From 0 to 1. Two streams give different numbers. */
  uniform(count: number, stream: number): ArrayLike<number>;
}

export function clip(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

/** Changes each channel by itself. */
export function onPlanes({ height, width, channels, values }: Picture, change: (plane: Plane) => Plane): Float64Array {
  const made = new Float64Array(values.length);
  for (let channel = 0; channel < channels; channel++) {
    const own = Float64Array.from({ length: height * width }, (_, i) => values[i * channels + channel] as number);
    change({ height, width, values: own }).values.forEach((value, i) => (made[i * channels + channel] = value));
  }
  return made;
}

/** Where a window that reaches over the border takes its pixels. */
export type Border = (place: number, size: number) => number;

/** aaa|abc|ccc */
export const nearest: Border = (place, size) => Math.min(Math.max(place, 0), size - 1);

/** cb|abc|ba, as OpenCV's default */
export const mirrored: Border = (place, size) => {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const inside = ((place % period) + period) % period;
  return inside < size ? inside : period - inside;
};

/** cba|abc|cba, which scipy calls `reflect` */
export const reflected: Border = (place, size) => {
  const inside = ((place % (2 * size)) + 2 * size) % (2 * size);
  return inside < size ? inside : 2 * size - 1 - inside;
};
