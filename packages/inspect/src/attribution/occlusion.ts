import { checkNumber, checkWhole } from "@convkit/core/internal";
import { checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { oneImage } from "../network/image-input.ts";
import type { Images } from "../network/image-input.ts";
import { columnOf, explainedClass, targetOf } from "../network/target.ts";
import type { Explained, TargetOptions } from "../network/target.ts";

export interface OcclusionOptions extends TargetOptions {
  /** Side of the square that covers the image, in pixels; an eighth of its shorter side by default. */
  readonly window?: number | undefined;
  /** Pixels between two places of the window; half the window by default. */
  readonly stride?: number | undefined;
  /** The value under the window, preprocessed; 0 by default. */
  readonly value?: number | undefined;
  /** Covered images that go through the network at once; 16 by default. */
  readonly batch?: number | undefined;
}

const names: OptionNames<OcclusionOptions> = {
  class: true,
  output: true,
  window: true,
  stride: true,
  value: true,
  batch: true,
};

/** How much a class' score drops where the image is covered. */
export interface Occlusion extends Explained {
  /** Height and width of the image. */
  readonly shape: readonly [height: number, width: number];
  /** The mean drop over the windows that cover a pixel, 0 where none does: `[h, w]`. */
  readonly values: Float32Array;
  /** The drop at each place of the window. */
  readonly drops: { readonly shape: readonly [rows: number, columns: number]; readonly values: Float32Array };
}

/**
 * Covers the image with a square, place by place, and gives how much the class' logit drops. The last windows of a row or
 * column may reach over the edge. Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901
 *
 * Throws an `OptionError` for an image that does not fit and an unknown class.
 */
export async function occlusion(model: tfl.LayersModel, image: Images, options?: OcclusionOptions): Promise<Occlusion> {
  const where = "occlusion";
  checkOptions(where, options, names);
  const target = targetOf(where, model, options?.output);
  const x = oneImage(where, model, image);
  try {
    const [, height, width] = x.shape;
    const { window = Math.max(1, Math.ceil(Math.min(height, width) / 8)), value = 0, batch = 16 } = options ?? {};
    const { stride = Math.max(1, Math.floor(window / 2)) } = options ?? {};
    for (const [what, size] of Object.entries({ window, stride, batch })) checkWhole(where, what, size, 1);
    checkNumber(where, "value", value);
    const explained = await explainedClass(where, target, x, options?.class);
    const along = (size: number): number[] =>
      Array.from({ length: Math.ceil(Math.max(size - window, 0) / stride) + 1 }, (_, i) => i * stride);
    const [rows, columns] = [along(height), along(width)];
    const places = rows.flatMap((row) => columns.map((column) => ({ row, column })));
    const scores: number[] = [];
    for (let from = 0; from < places.length; from += batch) {
      const some = places.slice(from, from + batch);
      const made = tf.tidy(() => {
        const masks = some.map(({ row, column }) => coverMask([height, width], window, row, column));
        const mask = tf.stack(masks) as tf.Tensor4D;
        const covered = tf.add(tf.mul(x, tf.sub(1, mask)), tf.mul(mask, value));
        return columnOf(target.scores(covered).values, explained.class);
      });
      scores.push(...(await made.data()));
      made.dispose();
    }
    const drops = Float32Array.from(scores, (score) => explained.score - score);
    const values = new Float32Array(height * width);
    const counts = new Float32Array(height * width);
    places.forEach(({ row, column }, i) => {
      for (let y = row; y < Math.min(row + window, height); y++) {
        for (let c = column; c < Math.min(column + window, width); c++) {
          values[y * width + c]! += drops[i] as number;
          counts[y * width + c]! += 1;
        }
      }
    });
    return {
      ...explained,
      shape: [height, width],
      values: values.map((sum, i) => sum / Math.max(counts[i] as number, 1)),
      drops: { shape: [rows.length, columns.length], values: drops },
    };
  } finally {
    x.dispose();
  }
}

/** 1 under the window, 0 elsewhere: `[h, w, 1]`. */
function coverMask(
  [height, width]: readonly [number, number],
  window: number,
  row: number,
  column: number,
): tf.Tensor3D {
  const [down, across] = [Math.min(window, height - row), Math.min(window, width - column)];
  return tf.pad3d(tf.ones([down, across, 1]) as tf.Tensor3D, [
    [row, height - row - down],
    [column, width - column - across],
    [0, 0],
  ]);
}
