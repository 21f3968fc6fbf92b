import type { OptionNames } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import { checkNames } from "../images/decode-options.ts";
import type { Batch, Dataset } from "./dataset.ts";
import { uniformStream } from "@convkit/augment/internal";
import { checkBatchOptions } from "./indexed-dataset.ts";

/** One image, `[h, w, c]` in row-major order, and its class. */
export interface Sample {
  readonly image: Uint8Array | Float32Array;
  readonly label: number;
}

export interface GeneratorData {
  /** Starts the samples from the beginning; called once per epoch. */
  readonly samples: (epoch: number) => Iterable<Sample> | AsyncIterable<Sample>;
  readonly shape: readonly [h: number, w: number, c: number];
  readonly classes: readonly string[];
  /**
   * Number of samples per epoch. Without it, the data set's `size` is `Infinity` and `hasKnownSize` is false: schedules
   * that depend on the steps of an epoch cannot be used.
   */
  readonly size?: number | undefined;
  /** The type of the pixels; "uint8" by default. */
  readonly dtype?: "uint8" | "float32" | undefined;
  /** Number of samples in the shuffle buffer; 1024 by default. */
  readonly buffer?: number | undefined;
  /** The name of the data set, for messages; "generator" by default. */
  readonly name?: string | undefined;
}

const generatorNames: OptionNames<GeneratorData> = {
  samples: true,
  shape: true,
  classes: true,
  size: true,
  dtype: true,
  buffer: true,
  name: true,
};

/**
 * Makes a data set from a sequence of samples. Shuffling draws each sample from a buffer, by seed and epoch. The
 * batches end with a `DataError` at a sample of another size, a label that is not a class index, or a pixel that is NaN
 * or infinite.
 */
export function fromGenerator(data: GeneratorData): Dataset {
  checkNames("fromGenerator", data, generatorNames);
  const {
    samples,
    shape,
    classes,
    size = Number.POSITIVE_INFINITY,
    dtype = "uint8",
    buffer = 1024,
    name = "generator",
  } = data;
  if (!(size === Number.POSITIVE_INFINITY || (Number.isInteger(size) && size > 0)))
    throw new DataError(`size should be a whole number from 1, not ${size}`);
  if (!Number.isInteger(buffer) || buffer < 1)
    throw new DataError(`buffer should be a whole number from 1, not ${buffer}`);
  return {
    name,
    classes,
    shape,
    dtype,
    size,
    async *batches(options) {
      const { batch, shuffle, seed, epoch, dropRemainder, skip } = checkBatchOptions(options);
      const checked = check(samples(epoch), { ...data, name, dtype });
      const ordered = shuffle ? pickFrom(checked, buffer, uniformStream(seed, epoch)) : checked;
      let held: Numbered[] = [];
      let left = skip;
      const take = () => {
        const full = held;
        held = [];
        return left-- > 0 ? undefined : gather(full, shape, dtype);
      };
      for await (const sample of ordered) {
        held.push(sample);
        const made = held.length === batch ? take() : undefined;
        if (made !== undefined) yield made;
      }
      const last = held.length > 0 && !dropRemainder ? take() : undefined;
      if (last !== undefined) yield last;
    },
  };
}

interface Numbered extends Sample {
  index: number;
}

async function* check(
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  { shape, classes, name, dtype }: Pick<GeneratorData, "shape" | "classes"> & { name: string; dtype: string },
): AsyncGenerator<Numbered> {
  const [h, w, c] = shape;
  let index = 0;
  for await (const { image, label } of samples) {
    const where = `${name}: sample ${index}`;
    if (image.length !== h * w * c) {
      throw new DataError(`${where} has ${image.length} values; expected ${h * w * c} (${shape.join("x")})`);
    }
    if (dtype === "uint8" && !(image instanceof Uint8Array)) {
      throw new DataError(`${where} has floats; expected bytes, or dtype "float32"`);
    }
    if (!Number.isInteger(label) || label < 0 || label >= classes.length) {
      throw new DataError(
        `${where} has the label ${label}, but with ${classes.length} classes labels run from 0 to ${classes.length - 1}`,
      );
    }
    const bad = image instanceof Float32Array ? image.findIndex((value) => !Number.isFinite(value)) : -1;
    if (bad >= 0) throw new DataError(`${where} has a pixel that is ${image[bad]}, not a number`);
    yield { image, label, index };
    index++;
  }
}

/** Shuffles the samples: draws each next one from a buffer of `size` samples. */
async function* pickFrom(
  samples: AsyncIterable<Numbered>,
  size: number,
  uniform: () => number,
): AsyncGenerator<Numbered> {
  const waiting: Numbered[] = [];
  const pick = (): Numbered => {
    const place = Math.floor(uniform() * waiting.length);
    const picked = waiting[place]!;
    waiting[place] = waiting.at(-1)!;
    waiting.pop();
    return picked;
  };
  for await (const sample of samples) {
    waiting.push(sample);
    if (waiting.length >= size) yield pick();
  }
  while (waiting.length > 0) yield pick();
}

function gather(samples: readonly Numbered[], [h, w, c]: GeneratorData["shape"], dtype: "uint8" | "float32"): Batch {
  const pixels = h * w * c;
  const images =
    dtype === "uint8" ? new Uint8Array(samples.length * pixels) : new Float32Array(samples.length * pixels);
  for (const [place, { image }] of samples.entries()) images.set(image, place * pixels);
  return {
    images,
    shape: [samples.length, h, w, c],
    labels: Int32Array.from(samples, ({ label }) => label),
    indices: Int32Array.from(samples, ({ index }) => index),
  };
}
