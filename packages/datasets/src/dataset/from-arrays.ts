import { type OptionNames, shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";
import { checkNames } from "../images/decode-options.ts";
import { notFinite } from "./not-finite.ts";
import type { IndexedDataset } from "./dataset.ts";
import { datasetFrom } from "./indexed-dataset.ts";
import { type InputData, labelsOf, storedInputs, storedTargets, type TargetData } from "./targets.ts";

export interface ArrayData {
  /** `[n, h, w, c]` in row-major order: bytes 0..255, or floats. */
  readonly images: Uint8Array | Float32Array;
  readonly shape: readonly [h: number, w: number, c: number];
  /** One class index per image; missing if there are `targets`. */
  readonly labels?: ArrayLike<number> | undefined;
  /** The class names; by default the numbers of the labels. */
  readonly classes?: readonly string[] | undefined;
  /**
   * What a network is to tell of each image, by name: several labels, numbers, masks, or more than one of these. For a
   * model of several outputs, the names are those of its outputs. By default a class, by `labels`.
   */
  readonly targets?: Readonly<Record<string, TargetData>> | undefined;
  /** Values for the model's inputs besides the images, by the names of the inputs; none by default. */
  readonly inputs?: Readonly<Record<string, InputData>> | undefined;
  /** The name of the data set, for messages; "arrays" by default. */
  readonly name?: string | undefined;
}

const arrayNames: OptionNames<ArrayData> = {
  images: true,
  shape: true,
  labels: true,
  classes: true,
  targets: true,
  inputs: true,
  name: true,
};

/**
 * Makes a data set from images in memory; nothing is copied. Throws a `DataError` if the numbers of images and labels
 * differ, a label is not a class index, or a pixel is NaN or infinite.
 */
export function fromArrays(data: ArrayData): IndexedDataset {
  if (data === undefined) throw new DataError("fromArrays: expected { images, shape, labels }, got nothing");
  checkNames("fromArrays", data, arrayNames);
  const { images, shape, classes, name = "arrays" } = data;
  const isShape = Array.isArray(shape) && shape.length === 3;
  if (!isShape || !shape.every((side) => Number.isInteger(side) && side > 0)) {
    throw new DataError(
      `${name}: an image's shape should be [height, width, channels], not ${isShape ? `[${shape.join(", ")}]` : shown(shape)}`,
    );
  }
  if (!(images instanceof Uint8Array || images instanceof Float32Array)) {
    throw new DataError(
      `${name}: images should be a Uint8Array (pixels from 0 to 255) or a Float32Array of all images, one after the other, not ${shown(images)}`,
    );
  }
  if (data.targets !== undefined && (data.labels !== undefined || classes !== undefined)) {
    throw new DataError(
      `${name}: with targets, leave out labels and classes; a class is a target too: { kind: "class", values, names }`,
    );
  }
  const { labels = data.targets && [] } = data;
  if (typeof labels !== "object" || labels === null || !("length" in labels)) {
    throw new DataError(`${name}: labels should be a list with the number of each image's class, not ${shown(labels)}`);
  }
  const [h, w, c] = shape;
  const pixels = h * w * c;
  if (images.length % pixels !== 0) {
    throw new DataError(`${name}: ${images.length} values are not a whole number of ${h}x${w}x${c} images`);
  }
  const size = images.length / pixels;
  if (size === 0) throw new DataError(`${name}: there is no image`);
  if (data.targets === undefined && labels.length !== size) {
    throw new DataError(`${name}: there are ${size} images but ${labels.length} labels; each image needs one`);
  }
  if (images instanceof Float32Array) {
    const bad = notFinite(images);
    if (bad >= 0) {
      throw new DataError(
        `${name}: image ${Math.floor(bad / pixels)} has a pixel that is ${images[bad]}, not a number`,
      );
    }
  }
  const targets = data.targets && storedTargets(name, data.targets, { count: size, height: h, width: w });
  const inputs = data.inputs && storedInputs(name, data.inputs, size);
  const known = targets === undefined ? classLabels(labels, classes, name) : labelsOf(targets, size);
  const stored = images;
  return datasetFrom({
    name,
    classes: known.classes,
    shape,
    dtype: stored instanceof Uint8Array ? "uint8" : "float32",
    labels: known.labels,
    targets,
    inputs,
    read(indices, batch) {
      for (let place = 0; place < indices.length; place++) {
        const from = indices[place]! * pixels;
        batch.set(stored.subarray(from, from + pixels), place * pixels);
      }
    },
  });
}

function classLabels(
  labels: ArrayLike<number>,
  classes: readonly string[] | undefined,
  name: string,
): { labels: Int32Array; classes: readonly string[] } {
  const names = classes ?? Array.from({ length: Math.max(0, maximum(labels)) + 1 }, (_, index) => String(index));
  return { labels: checkLabels(labels, names, name), classes: names };
}

/** Converts the labels to integers. Throws a `DataError` at the first label that is not a class index. */
function checkLabels(labels: ArrayLike<number>, classes: readonly string[], name: string): Int32Array {
  return Int32Array.from(labels, (label, index) => {
    if (Number.isInteger(label) && label >= 0 && label < classes.length) return label;
    if (typeof label !== "number") {
      throw new DataError(
        `${name}: label ${index} is ${shown(label)}; a label is the number of a class from 0 on, and classes are its names: { labels: [0, 1], classes: ["cat", "dog"] }`,
      );
    }
    throw new DataError(
      `${name}: label ${index} is ${label}, but with ${classes.length} classes labels run from 0 to ${classes.length - 1}`,
    );
  });
}

function maximum(values: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) if (values[index]! > most) most = values[index]!;
  return most;
}
