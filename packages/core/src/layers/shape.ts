import { OptionError } from "@convkit/errors";
import * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import type { UnnamedBlock } from "../block/names.ts";
import { explicitPads } from "../arithmetic/padding.ts";
import type { Padding } from "../arithmetic/padding.ts";

/**
 * `[n, h, w, c] -> [n, h * w * c]`, channels fastest. (PyTorch's flatten has the columns fastest.) Throws an `OptionError` for a
 * map whose size is not known.
 */
export function flatten(): UnnamedBlock {
  return layer((name, x) => {
    const size = x.shape.slice(1);
    if (size.includes(null)) {
      throw new OptionError(
        `${name}: expected a map of known size to flatten, got ${size.map((each) => each ?? "any").join("x")}; ` +
          `give the input's height and width, or leave the top out (includeTop: false).`,
      );
    }
    return tfl.layers.flatten({ name });
  }, "flatten");
}

/** `[n, ...] -> [n, ...shape]`. */
export function reshape(shape: readonly number[]): UnnamedBlock {
  return layer((name) => tfl.layers.reshape({ name, targetShape: [...shape] }), "reshape");
}

/** Zeros around a feature map: `[n, h, w, c] -> [n, h + top + bottom, w + left + right, c]`. */
export function zeroPad(padding: Exclude<Padding, string>): UnnamedBlock {
  const pads = explicitPads(padding) as [[number, number], [number, number]];
  return layer((name) => tfl.layers.zeroPadding2d({ name, padding: pads }), "zero_padding2d");
}

/** Cuts rows and columns off: `[n, h, w, c] -> [n, h - top - bottom, w - left - right, c]`. */
export function crop(padding: Exclude<Padding, string>): UnnamedBlock {
  const pads = explicitPads(padding) as [[number, number], [number, number]];
  return layer((name) => tfl.layers.cropping2D({ name, cropping: pads }), "cropping2d");
}

/** `x * scale + offset`. */
export function rescale(scale: number, offset = 0): UnnamedBlock {
  return layer((name) => tfl.layers.rescaling({ name, scale, offset }), "rescaling");
}
