import { shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import type { Target, TargetValues } from "./dataset.ts";

/** What a network is to tell of each image, with its values. */
export interface TargetData {
  /**
   * `class`: one class of several. `labels`: any of several labels. `numbers`: numbers to predict. `mask`: a class for
   * each pixel.
   */
  readonly kind: Target["kind"];
  /**
   * One value after the other: a class number an image; 0 or 1 for each image and label; each image's numbers; or the
   * class of each pixel. Labels may also be a list of names for each image.
   */
  readonly values: ArrayLike<number> | readonly (readonly string[])[];
  /** The names of the classes, labels or numbers. Labels need them; the others have numbers by default. */
  readonly names?: readonly string[] | undefined;
  /** The value of a mask's pixels that are not judged, such as 255; none by default. */
  readonly ignore?: number | undefined;
}

/** Targets with their values, one image after the other. */
export type StoredTargets = Readonly<Record<string, Target & { readonly values: TargetValues }>>;

/** The values of further inputs, one image after the other, and the shape of one image's. */
export type StoredInputs = Readonly<
  Record<string, { readonly values: Float32Array; readonly shape: readonly number[] }>
>;

/** Further inputs of a model, by the names of its inputs. */
export interface InputData {
  /** One image's values after the other. */
  readonly values: ArrayLike<number>;
  /** The shape of one image's values, such as `[3]`. */
  readonly shape: readonly number[];
}

/** Checks targets for `count` images of `height` by `width` pixels. Throws a `DataError` that names the target and the image. */
export function storedTargets(
  where: string,
  targets: Readonly<Record<string, TargetData>>,
  { count, height, width }: { count: number; height: number; width: number },
): StoredTargets {
  const entries = Object.entries(targets);
  if (entries.length === 0) throw new DataError(`${where}: there is no target; leave targets out for classes`);
  return Object.fromEntries(
    entries.map(([name, target]) => {
      const what = `${where}: the target ${name}`;
      if (typeof target !== "object" || target === null || !(target.kind in checks))
        throw new DataError(
          `${what} should be { kind: "class", "labels", "numbers" or "mask", values }, not ${shown(target)}`,
        );
      if (target.ignore !== undefined && (target.kind !== "mask" || !Number.isInteger(target.ignore)))
        throw new DataError(`${what}: ignore is for masks, the whole number of pixels that are not judged`);
      if (typeof target.values !== "object" || target.values === null || !("length" in target.values))
        throw new DataError(`${what} should have a list of values, not ${shown(target.values)}`);
      return [name, checks[target.kind](what, target, { count, pixels: [height, width] })];
    }),
  );
}

/** Checks further inputs of `count` images. */
export function storedInputs(where: string, inputs: Readonly<Record<string, InputData>>, count: number): StoredInputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { values, shape }]) => {
      const size = shape.reduce((product, side) => product * side, 1);
      const what = `${where}: the input ${name}`;
      checkCount(what, values.length, count, size);
      return [name, { shape, values: finite(what, values, size) }];
    }),
  );
}

/** The values of some images. */
export function targetsAt(targets: StoredTargets, places: Int32Array): Readonly<Record<string, TargetValues>> {
  return Object.fromEntries(
    Object.entries(targets).map(([name, { values, shape }]) => [name, rowsOf(values, sizeOf(shape), places)]),
  );
}

/** The same targets for some of the images. */
export function targetsOfSome(targets: StoredTargets, places: Int32Array): StoredTargets {
  return Object.fromEntries(
    Object.entries(targets).map(([name, target]) => [
      name,
      { ...target, values: rowsOf(target.values, sizeOf(target.shape), places) },
    ]),
  );
}

/** The same further inputs for some of the images. */
export function inputsOfSome(inputs: StoredInputs, places: Int32Array): StoredInputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { values, shape }]) => [
      name,
      { shape, values: rowsOf(values, sizeOf(shape), places) },
    ]),
  );
}

/** All values. */
export function valuesAt(targets: StoredTargets): Readonly<Record<string, TargetValues>> {
  return Object.fromEntries(Object.entries(targets).map(([name, { values }]) => [name, values]));
}

/** The further inputs of some images. */
export function inputsAt(inputs: StoredInputs, places: Int32Array): Readonly<Record<string, Float32Array>> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { values, shape }]) => [name, rowsOf(values, sizeOf(shape), places)]),
  );
}

/** The targets without their values. */
export function specsOf(targets: StoredTargets): Readonly<Record<string, Target>> {
  return Object.fromEntries(Object.entries(targets).map(([name, { values: _values, ...spec }]) => [name, spec]));
}

export function shapesOf(inputs: StoredInputs): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
}

/** The class of each image by the first target that is a class; 0 if none is. */
export function labelsOf(targets: StoredTargets, count: number): { labels: Int32Array; classes: readonly string[] } {
  const first = Object.values(targets).find(({ kind }) => kind === "class");
  return first === undefined
    ? { labels: new Int32Array(count), classes: [] }
    : { labels: first.values as Int32Array, classes: first.names };
}

/** The number of values of one image. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

interface Images {
  readonly count: number;
  readonly pixels: readonly [height: number, width: number];
}

type Stored = Target & { readonly values: TargetValues };

const checks: { readonly [Kind in Target["kind"]]: (what: string, target: TargetData, images: Images) => Stored } = {
  class(what, { values, names }, { count }) {
    checkCount(what, values.length, count, 1);
    const classes = names ?? numbered(values as ArrayLike<number>);
    return { kind: "class", names: classes, shape: [], values: indices(what, values as ArrayLike<number>, classes, 1) };
  },
  labels(what, { values, names }, { count }) {
    if (names === undefined || names.length === 0) throw new DataError(`${what} needs the names of its labels`);
    const flat = isNames(values) ? multiHot(what, values, names) : (values as ArrayLike<number>);
    checkCount(what, flat.length, count, names.length);
    const size = names.length;
    const made = Float32Array.from(flat, (value, place) => {
      if (value === 0 || value === 1) return value;
      throw new DataError(
        `${what}: image ${Math.floor(place / size)} has ${shown(value)} for ${names[place % size]}; expected 0 or 1`,
      );
    });
    return { kind: "labels", names, shape: [size], values: made };
  },
  numbers(what, { values, names }, { count }) {
    const size = names?.length ?? Math.max(1, Math.round(values.length / count));
    checkCount(what, values.length, count, size);
    const called = names ?? (size === 1 ? ["value"] : Array.from({ length: size }, (_, index) => String(index)));
    return { kind: "numbers", names: called, shape: [size], values: finite(what, values as ArrayLike<number>, size) };
  },
  mask(what, { values, names, ignore }, { count, pixels }) {
    const size = pixels[0] * pixels[1];
    checkCount(what, values.length, count, size);
    const classes = names ?? numbered(values as ArrayLike<number>, ignore);
    if (ignore !== undefined && ignore >= 0 && ignore < classes.length)
      throw new DataError(
        `${what}: ignore is ${ignore}, which is the class ${classes[ignore]}; expected a value that is no class`,
      );
    const made = indices(what, values as ArrayLike<number>, classes, size, ignore);
    return { kind: "mask", names: classes, shape: [...pixels], values: made, ...(ignore !== undefined && { ignore }) };
  },
};

function isNames(values: TargetData["values"]): values is readonly (readonly string[])[] {
  return Array.isArray(values) && Array.isArray(values[0]);
}

/** A 1 for each name in an image's list. */
function multiHot(what: string, lists: readonly (readonly string[])[], names: readonly string[]): Float32Array {
  const places = new Map(names.map((name, place) => [name, place]));
  const made = new Float32Array(lists.length * names.length);
  for (const [image, list] of lists.entries())
    for (const name of list) {
      const place = places.get(name);
      if (place === undefined)
        throw new DataError(
          `${what}: image ${image} has the label ${shown(name)}, which is none of ${names.join(", ")}`,
        );
      made[image * names.length + place] = 1;
    }
  return made;
}

function checkCount(what: string, length: number, count: number, size: number): void {
  if (length === count * size) return;
  throw new DataError(`${what} has ${length} values, but ${count} images with ${size} each need ${count * size}`);
}

function indices(
  what: string,
  values: ArrayLike<number>,
  classes: readonly string[],
  size: number,
  ignore?: number,
): Int32Array {
  const count = classes.length;
  const made = new Int32Array(values.length);
  // Masks have millions of values, for which a call each takes long.
  for (let place = 0; place < made.length; place += 1) {
    const value = values[place]!;
    if (value !== ignore && !(Number.isInteger(value) && value >= 0 && value < count))
      throw new DataError(
        `${what}: image ${Math.floor(place / size)} has the class ${shown(value)}; with ${count} classes they run from 0 to ${count - 1}`,
      );
    made[place] = value;
  }
  return made;
}

function finite(what: string, values: ArrayLike<number>, size: number): Float32Array {
  return Float32Array.from(values, (value, place) => {
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw new DataError(
      `${what}: image ${Math.floor(place / size)} has ${typeof value === "number" ? String(value) : shown(value)}; expected a number`,
    );
  });
}

function numbered(values: ArrayLike<number>, ignore?: number): string[] {
  let most = 0;
  for (let place = 0; place < values.length; place += 1)
    if (values[place]! > most && values[place] !== ignore) most = values[place]!;
  return Array.from({ length: Math.floor(most) + 1 }, (_, index) => String(index));
}

function rowsOf<Values extends TargetValues>(values: Values, size: number, places: Int32Array): Values {
  const made = new (values.constructor as new (length: number) => Values)(places.length * size);
  for (const [row, place] of places.entries()) made.set(values.subarray(place * size, (place + 1) * size), row * size);
  return made;
}
