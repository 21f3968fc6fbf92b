import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import type { UnnamedBlock } from "../block/names.ts";
import { checkMap, checkWhole } from "./check-values.ts";
import { onlyShape, onlyTensor } from "../tfjs/layer-class.ts";

/**
 * Adds channels of zeros before and after: `[n, h, w, c] -> [n, h, w, before + c + after]`. He et al. 2015 use it as a
 * shortcut without weights.
 */
export function padChannels(before: number, after: number): UnnamedBlock {
  checkWhole("padChannels", "before", before, 0);
  checkWhole("padChannels", "after", after, 0);
  return layer((name, x) => {
    checkMap(name, x);
    return new PadChannels({ name, before, after });
  }, "pad_channels");
}

/** The layer of `padChannels`. */
export class PadChannels extends tfjs.Layer {
  static className = "PadChannels";
  readonly #pads: { readonly before: number; readonly after: number };

  constructor({ before, after, ...base }: { name?: string; before: number; after: number }) {
    super(base);
    this.#pads = { before, after };
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const full = onlyShape(shape);
    return [...full.slice(0, -1), (full.at(-1) as number) + this.#pads.before + this.#pads.after];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { before, after } = this.#pads;
    return tf.pad(onlyTensor(inputs), [
      [0, 0],
      [0, 0],
      [0, 0],
      [before, after],
    ]);
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), ...this.#pads };
  }
}
