import type { OptionNames } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import { checkNames } from "../images/decode-options.ts";
import { notFinite } from "./not-finite.ts";
import type { Batch, Dataset, Target } from "./dataset.ts";
import { labelsOf, sizeOf, storedInputs, storedTargets } from "./targets.ts";
import { uniformStream } from "@convkit/augment/internal";
import { checkBatchOptions } from "./indexed-dataset.ts";

/** One image, `[h, w, c]` in row-major order, and its class or its targets. */
export interface Sample {
  readonly image: Uint8Array | Float32Array;
  /** The number of the image's class; missing if there are targets. */
  readonly label?: number | undefined;
  /** The image's values of each of the data set's `targets`; none by default. */
  readonly targets?: Readonly<Record<string, ArrayLike<number>>> | undefined;
  /** The image's values of each of the data set's `inputs`; none by default. */
  readonly inputs?: Readonly<Record<string, ArrayLike<number>>> | undefined;
}

/** A target whose values come with each sample. */
export type GeneratedTarget = Pick<Target, "kind" | "names" | "ignore">;

export interface GeneratorData {
  /** Starts the samples from the beginning; called once per epoch. */
  readonly samples: (epoch: number) => Iterable<Sample> | AsyncIterable<Sample>;
  readonly shape: readonly [h: number, w: number, c: number];
  /** The names of the classes; missing if there are `targets`. */
  readonly classes?: readonly string[] | undefined;
  /** What a network is to tell of each image, by name; a class by default. */
  readonly targets?: Readonly<Record<string, GeneratedTarget>> | undefined;
  /** The shapes of the model's inputs besides the images, by the names of the inputs; none by default. */
  readonly inputs?: Readonly<Record<string, readonly number[]>> | undefined;
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
  targets: true,
  inputs: true,
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
  const { samples, shape, size = Number.POSITIVE_INFINITY, dtype = "uint8", buffer = 1024, name = "generator" } = data;
  if (!(size === Number.POSITIVE_INFINITY || (Number.isInteger(size) && size > 0)))
    throw new DataError(`size should be a whole number from 1, not ${size}`);
  if (!Number.isInteger(buffer) || buffer < 1)
    throw new DataError(`buffer should be a whole number from 1, not ${buffer}`);
  const targets = data.targets && generatedTargets(data.targets, shape);
  const classes = classNames(data);
  return {
    name,
    classes,
    ...(targets && { targets }),
    ...(data.inputs && { inputs: data.inputs }),
    shape,
    dtype,
    size,
    async *batches(options) {
      const { batch, shuffle, seed, epoch, dropRemainder, skip } = checkBatchOptions(options);
      if (options.sampling !== undefined)
        throw new DataError(`${name}: a generator yields its images in order, so no class can be drawn more often`);
      if ((options.repeats ?? 1) > 1)
        throw new DataError(`${name}: a generator yields its images in order, so none can be repeated`);
      const checked = check(samples(epoch), { shape, classes, name, dtype, isClass: targets === undefined });
      const ordered = shuffle ? pickFrom(checked, buffer, uniformStream(seed, epoch)) : checked;
      let held: Numbered[] = [];
      let left = skip;
      const take = () => {
        const full = held;
        held = [];
        return left-- > 0 ? undefined : gather(full, { ...data, name, dtype });
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
  {
    shape,
    classes,
    name,
    dtype,
    isClass,
  }: Pick<GeneratorData, "shape"> & { classes: readonly string[]; name: string; dtype: string; isClass: boolean },
): AsyncGenerator<Numbered> {
  const [h, w, c] = shape;
  let index = 0;
  for await (const sample of samples) {
    const { image, label } = sample;
    const where = `${name}: sample ${index}`;
    if (image.length !== h * w * c) {
      throw new DataError(`${where} has ${image.length} values; expected ${h * w * c} (${shape.join("x")})`);
    }
    if (dtype === "uint8" && !(image instanceof Uint8Array)) {
      throw new DataError(`${where} has floats; expected bytes, or dtype "float32"`);
    }
    if (isClass && !(Number.isInteger(label) && label! >= 0 && label! < classes.length)) {
      throw new DataError(
        `${where} has the label ${label}, but with ${classes.length} classes labels run from 0 to ${classes.length - 1}`,
      );
    }
    const bad = image instanceof Float32Array ? notFinite(image) : -1;
    if (bad >= 0) throw new DataError(`${where} has a pixel that is ${image[bad]}, not a number`);
    yield { ...sample, index };
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

type Gathered = Pick<GeneratorData, "shape" | "targets" | "inputs"> & { name: string; dtype: "uint8" | "float32" };

function gather(samples: readonly Numbered[], { shape, targets, inputs, name, dtype }: Gathered): Batch {
  const [h, w, c] = shape;
  const pixels = h * w * c;
  const count = samples.length;
  const images = dtype === "uint8" ? new Uint8Array(count * pixels) : new Float32Array(count * pixels);
  for (const [place, { image }] of samples.entries()) images.set(image, place * pixels);
  const indices = Int32Array.from(samples, ({ index }) => index);
  const where = `${name}: samples from ${indices[0]} on`;
  const known = targets && generatedTargets(targets, shape);
  const stored =
    targets &&
    known &&
    storedTargets(
      where,
      Object.fromEntries(
        Object.entries(targets).map(([target, spec]) => [
          target,
          { ...spec, values: gathered(samples, "targets", target, { name, size: sizeOf(known[target]!.shape) }) },
        ]),
      ),
      { count, height: h, width: w },
    );
  const more =
    inputs &&
    storedInputs(
      where,
      Object.fromEntries(
        Object.entries(inputs).map(([input, each]) => [
          input,
          { shape: each, values: gathered(samples, "inputs", input, { name, size: sizeOf(each) }) },
        ]),
      ),
      count,
    );
  return {
    images,
    shape: [count, h, w, c],
    labels: stored === undefined ? Int32Array.from(samples, ({ label }) => label!) : labelsOf(stored, count).labels,
    indices,
    ...(stored && { targets: mapped(stored) }),
    ...(more && { inputs: mapped(more) }),
  };
}

function mapped<Values>(stored: Readonly<Record<string, { readonly values: Values }>>): Record<string, Values> {
  return Object.fromEntries(Object.entries(stored).map(([key, { values }]) => [key, values]));
}

/** The values of a target or an input, one sample after the other. */
function gathered(
  samples: readonly Numbered[],
  field: "targets" | "inputs",
  key: string,
  { name, size }: { name: string; size: number },
): number[] {
  return samples.flatMap(({ index, [field]: given }) => {
    const values = given?.[key];
    if (values?.length === size) return Array.from(values);
    throw new DataError(
      `${name}: sample ${index} has ${values === undefined ? "no" : values.length} values in ${field}.${key}; expected ${size}`,
    );
  });
}

function generatedTargets(
  targets: Readonly<Record<string, GeneratedTarget>>,
  [height, width]: GeneratorData["shape"],
): Readonly<Record<string, Target>> {
  const shapes = { class: () => [], mask: () => [height, width] };
  return Object.fromEntries(
    Object.entries(targets).map(([key, { kind, names, ignore }]) => [
      key,
      {
        kind,
        names,
        shape: kind === "class" || kind === "mask" ? shapes[kind]() : [names.length],
        ...(ignore !== undefined && { ignore }),
      },
    ]),
  );
}

/** The names of the classes: those given, or those of the first target that is a class. */
function classNames({ classes, targets, name = "generator" }: GeneratorData): readonly string[] {
  if (classes !== undefined && targets !== undefined)
    throw new DataError(`${name}: with targets, leave out classes; a class is a target too: { kind: "class", names }`);
  if (targets !== undefined) return Object.values(targets).find(({ kind }) => kind === "class")?.names ?? [];
  if (classes !== undefined) return classes;
  throw new DataError(`${name}: expected classes, the names of the classes, or targets`);
}
