import { uniformStream } from "@convkit/augment/internal";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import { fromArrays } from "../dataset/from-arrays.ts";
import type { TargetData } from "../dataset/targets.ts";
import { shuffle } from "../random/permutation.ts";
import { loadIdxSet, type SourceOptions } from "./idx-set.ts";
import { mnist } from "./mnist.ts";

/** Images that are composed of MNIST's digits, the same on every machine. */
export interface DigitScenes {
  readonly name: string;
  readonly shape: readonly [h: number, w: number, c: 1];
  readonly train: number;
  readonly test: number;
  /** The classes that an image or a pixel may have; none for numbers. */
  readonly classes: readonly string[];
  /** The name of the target, and draws one image with its values. */
  readonly target: Pick<TargetData, "kind" | "names"> & { readonly name: string };
  draw(scene: Scene): void;
}

/** An image that is being composed. */
interface Scene {
  /** Gray values, `[h, w]`. */
  readonly image: Uint8Array;
  /** The values of its target. */
  readonly values: Uint8Array;
  /** A digit of the split, 28x28. */
  digit(): { readonly pixels: Uint8Array; readonly label: number };
  /** A whole number from 0 to below `end`. */
  below(end: number): number;
}

/** The height and width of MNIST's images. */
const side = 28;
/** Digits are at most 20x20; in a cell of this size they lie anywhere. */
const cell = 24;

/**
 * Two digits of different classes, each shifted by up to 4 pixels, one over the other: which two? Sabour, Frosst and Hinton 2017,
 * https://arxiv.org/abs/1710.09829, section 6; the brighter of two pixels counts.
 */
export const multiMnist: DigitScenes = {
  name: "multi-mnist",
  shape: [36, 36, 1],
  train: 20_000,
  test: 4000,
  classes: mnist.classes,
  target: { name: "digits", kind: "labels", names: mnist.classes },
  draw({ image, values, digit, below }) {
    const first = digit();
    let second = digit();
    while (second.label === first.label) second = digit();
    for (const { pixels, label } of [first, second]) {
      values[label] = 1;
      const box = { top: 0, left: 0, height: side, width: side };
      put(image, 36, pixels, { box, top: below(9), left: below(9) });
    }
  },
};

/** None to five digits that do not overlap: how many? After Seguí, Pujol and Vitrià 2015, https://arxiv.org/abs/1505.08082. */
export const mnistCount: DigitScenes = {
  name: "mnist-count",
  shape: [3 * cell, 3 * cell, 1],
  train: 10_000,
  test: 2000,
  classes: [],
  target: { name: "count", kind: "numbers", names: ["count"] },
  draw(scene) {
    const count = scene.below(6);
    scene.values[0] = count;
    inCells(scene, { cells: 3, count });
  },
};

/** One to three digits that do not overlap: which digit, or the ground, is each pixel of? */
export const mnistMasks: DigitScenes = {
  name: "mnist-masks",
  shape: [2 * cell, 2 * cell, 1],
  train: 5000,
  test: 1000,
  classes: ["ground", ...mnist.classes],
  target: { name: "mask", kind: "mask", names: ["ground", ...mnist.classes] },
  draw(scene) {
    inCells(scene, {
      cells: 2,
      count: 1 + scene.below(3),
      // A pixel belongs to a digit from the middle of its edge on.
      mark: (place, value, label) => {
        if (value > 127) scene.values[place] = 1 + label;
      },
    });
  },
};

/** Loads the images of both splits, composed of the digits of MNIST's own splits. */
export async function loadDigitScenes(
  scenes: DigitScenes,
  options: SourceOptions = {},
): Promise<DataSplits<IndexedDataset>> {
  const digits = await loadIdxSet(mnist, options);
  return {
    name: scenes.name,
    train: await compose(scenes, "train", digits.train, 1),
    test: await compose(scenes, "test", digits.test!, 2),
  };
}

async function compose(
  scenes: DigitScenes,
  split: "train" | "test",
  digits: IndexedDataset,
  seed: number,
): Promise<IndexedDataset> {
  const { name, shape, target, draw } = scenes;
  const count = scenes[split];
  const pixels = shape[0] * shape[1];
  const size = target.kind === "mask" ? pixels : target.names!.length;
  const images = new Uint8Array(count * pixels);
  const values = new Uint8Array(count * size);
  const uniform = uniformStream(seed, 0);
  const below = (end: number): number => Math.floor(uniform() * end);
  for await (const all of digits.batches({ batch: digits.size }))
    for (let image = 0; image < count; image += 1)
      draw({
        image: images.subarray(image * pixels, (image + 1) * pixels),
        values: values.subarray(image * size, (image + 1) * size),
        below,
        digit() {
          const index = below(digits.size);
          const bytes = (all.images as Uint8Array).subarray(index * side * side, (index + 1) * side * side);
          return { pixels: bytes, label: all.labels[index]! };
        },
      });
  const { kind, names } = target;
  return fromArrays({ images, shape, targets: { [target.name]: { kind, names, values } }, name: `${name}/${split}` });
}

/** Draws digits into different cells of a square of `cells` by `cells`. */
function inCells(
  { image, digit, below }: Scene,
  {
    cells,
    count,
    mark,
  }: {
    readonly cells: number;
    readonly count: number;
    readonly mark?: (place: number, value: number, label: number) => void;
  },
): void {
  const places = Int32Array.from({ length: cells * cells }, (_, place) => place);
  shuffle(places, () => below(2 ** 20) / 2 ** 20);
  for (const place of places.subarray(0, count)) {
    const { pixels, label } = digit();
    const box = boxOf(pixels);
    const top = Math.floor(place / cells) * cell + below(cell - box.height + 1);
    const left = (place % cells) * cell + below(cell - box.width + 1);
    put(image, cells * cell, pixels, { box, top, left }, (at, value) => mark?.(at, value, label));
  }
}

interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The smallest box with all pixels of a digit. */
function boxOf(pixels: Uint8Array): Box {
  let [top, left, bottom, right] = [side, side, -1, -1];
  for (let y = 0; y < side; y += 1)
    for (let x = 0; x < side; x += 1) {
      if (pixels[y * side + x] === 0) continue;
      top = Math.min(top, y);
      left = Math.min(left, x);
      bottom = y;
      right = Math.max(right, x);
    }
  return { top, left, height: bottom - top + 1, width: right - left + 1 };
}

/** Puts a part of a digit at a place of an image of `width` pixels; the brighter of two pixels counts. */
function put(
  image: Uint8Array,
  width: number,
  pixels: Uint8Array,
  { box, top, left }: { readonly box: Box; readonly top: number; readonly left: number },
  each?: (place: number, value: number) => void,
): void {
  for (let y = 0; y < box.height; y += 1)
    for (let x = 0; x < box.width; x += 1) {
      const value = pixels[(box.top + y) * side + box.left + x]!;
      const place = (top + y) * width + left + x;
      image[place] = Math.max(image[place]!, value);
      each?.(place, value);
    }
}
