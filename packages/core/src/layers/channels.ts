import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { layer } from "../block/block.ts";
import type { UnnamedBlock } from "../block/names.ts";
import { onlyShape, onlyTensor } from "../tfjs/layer-class.ts";
import type { ShapedBlock, Unchanged } from "../typed/shape-change.ts";
import { checkMap, checkWhole } from "./check-values.ts";

/** Takes `count` channels from channel `start` on: `[n, h, w, c] -> [n, h, w, count]`. */
export function sliceChannels(start: number, count: number): UnnamedBlock {
  checkWhole("sliceChannels", "start", start, 0);
  checkWhole("sliceChannels", "count", count, 1);
  return layer((name, x) => {
    checkMap(name, x);
    const channels = x.shape.at(-1) as number;
    if (start + count > channels)
      throw new OptionError(
        `${name}: expected channels ${start} to ${start + count - 1} of the map, got a map of ${channels}.`,
      );
    return new SliceChannels({ name, start, count });
  }, "slice_channels");
}

/**
 * Takes the first channel of every group, then the second of every group, and so on: shape unchanged. Zhang et al. 2017,
 * https://arxiv.org/abs/1707.01083
 */
export function shuffleChannels(groups: number): ShapedBlock<Unchanged> {
  checkWhole("shuffleChannels", "groups", groups, 1);
  return layer((name, x) => {
    checkMap(name, x);
    const channels = x.shape.at(-1) as number;
    if (channels % groups !== 0)
      throw new OptionError(`${name}: expected channels that ${shown(groups)} groups divide, got ${channels}.`);
    return new ShuffleChannels({ name, groups });
  }, "shuffle_channels");
}

/** The layer of `sliceChannels`. */
export class SliceChannels extends tfjs.Layer {
  static className = "SliceChannels";
  readonly #start: number;
  readonly #count: number;

  constructor({ start, count, ...base }: { name?: string; start: number; count: number }) {
    super(base);
    this.#start = start;
    this.#count = count;
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return [...onlyShape(shape).slice(0, -1), this.#count];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.slice(onlyTensor(inputs), [0, 0, 0, this.#start], [-1, -1, -1, this.#count]);
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), start: this.#start, count: this.#count };
  }
}

/** The layer of `shuffleChannels`. */
export class ShuffleChannels extends tfjs.Layer {
  static className = "ShuffleChannels";
  readonly #groups: number;

  constructor({ groups, ...base }: { name?: string; groups: number }) {
    super(base);
    this.#groups = groups;
  }

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(shape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs);
      const channels = x.shape.at(-1)!;
      // Pixels are rows of a matrix, so that no axis but the first depends on the batch.
      const grouped = tf.reshape(x, [-1, this.#groups, channels / this.#groups]);
      const [, height, width] = x.shape as [number, number, number];
      return tf.reshape(tf.transpose(grouped, [0, 2, 1]), [-1, height, width, channels]);
    });
  }

  override getConfig(): ReturnType<tfl.layers.Layer["getConfig"]> {
    return { ...super.getConfig(), groups: this.#groups };
  }
}

/** For each channel that `shuffleChannels` returns its place in the input. */
export function shuffledPlaces(channels: number, groups: number): number[] {
  const size = channels / groups;
  return Array.from({ length: channels }, (_, place) => (place % groups) * size + Math.floor(place / groups));
}
