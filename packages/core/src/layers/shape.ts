import { OptionError, shown } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import { layer } from "../block/block.ts";
import type { UnnamedBlock } from "../block/names.ts";
import { checkMap, checkNumber } from "./check-values.ts";
import { explicitPads } from "../arithmetic/padding.ts";
import type { Flattened, Reshaped, ShapedBlock, Unchanged } from "../typed/shape-change.ts";
import type { Padding } from "../arithmetic/padding.ts";

/**
 * `[n, h, w, c] -> [n, h * w * c]`, channels fastest. (PyTorch's flatten has the columns fastest.) Throws an `OptionError` for a
 * map whose size is not known.
 */
export function flatten(): ShapedBlock<Flattened> {
  return layer((name, x) => {
    const size = x.shape.slice(1);
    if (size.includes(null)) {
      throw new OptionError(
        `${name}: expected a map of known size to flatten, got ${size.map((each) => each ?? "any").join("x")}; ` +
          `give the input's height and width, or leave the top out (includeTop: false).`,
      );
    }
    return tfjs.flatten({ name });
  }, "flatten");
}

/** `[n, ...] -> [n, ...shape]`; one length may be -1, which stands for the rest. */
export function reshape<const To extends readonly number[]>(shape: To): ShapedBlock<Reshaped<To>> {
  const isShape =
    Array.isArray(shape) && shape.every((length) => length === -1 || (Number.isInteger(length) && length > 0));
  if (!isShape || shape.filter((length) => length === -1).length > 1)
    throw new OptionError(
      `reshape: expected a list of whole numbers from 1 on, one of which may be -1, got ${shown(shape)}.`,
    );
  const wanted = shape.reduce((product, length) => product * Math.abs(length), 1);
  return layer((name, x) => {
    const from = x.shape.slice(1);
    const count = from.reduce<number | null>(
      (product, length) => (product === null || length === null ? null : product * length),
      1,
    );
    if (count !== null && (shape.includes(-1) ? count % wanted !== 0 : count !== wanted))
      throw new OptionError(
        `${name}: expected ${count} numbers of ${from.join("x")} in the new shape, got ${shown(shape)}.`,
      );
    return tfjs.reshape({ name, targetShape: [...shape] });
  }, "reshape");
}

/** Zeros around a feature map: `[n, h, w, c] -> [n, h + top + bottom, w + left + right, c]`. */
export function zeroPad(padding: Exclude<Padding, string>): UnnamedBlock {
  const pads = explicitPads(padding) as [[number, number], [number, number]];
  return layer((name, x) => {
    checkMap(name, x);
    return tfjs.zeroPadding2d({ name, padding: pads });
  }, "zero_padding2d");
}

/** Cuts rows and columns off: `[n, h, w, c] -> [n, h - top - bottom, w - left - right, c]`. */
export function crop(padding: Exclude<Padding, string>): UnnamedBlock {
  const pads = explicitPads(padding) as [[number, number], [number, number]];
  return layer((name, x) => {
    checkMap(name, x);
    for (const [axis, [before, after]] of pads.entries()) {
      const size = x.shape[axis + 1] as number | null;
      if (size !== null && before + after >= size)
        throw new OptionError(
          `${name}: expected to crop less than the map's ${size} pixels, got ${before} and ${after}.`,
        );
    }
    return tfjs.cropping2D({ name, cropping: pads });
  }, "cropping2d");
}

/** `x * scale + offset`. */
export function rescale(scale: number, offset = 0): ShapedBlock<Unchanged> {
  checkNumber("rescale", "scale", scale);
  checkNumber("rescale", "offset", offset);
  return layer((name) => tfjs.rescaling({ name, scale, offset }), "rescaling");
}
