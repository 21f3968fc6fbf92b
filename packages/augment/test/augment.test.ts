import { readFileSync } from "node:fs";
import { useEngine } from "@convkit/engine";
import { OptionError } from "@convkit/errors";
import { engines } from "@convkit/testing";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  augmentationFrom,
  augmentations,
  cutmix,
  layersRandom,
  mixup,
  randAugment,
  randAugmentOps,
  randomCrop,
  randomErasing,
  randomFlip,
  randomRotation,
  randomZoom,
  rotate,
  seededRandom,
  smoothLabels,
  translate,
  zoom,
} from "../src/index.ts";
import type { FillMode } from "../src/index.ts";
import {
  autoContrast,
  brighten,
  contrast,
  equalize,
  posterize,
  saturate,
  sharpen,
  solarize,
} from "../src/color/tone.ts";
import { betaQuantiles } from "../src/mix/beta-quantiles.ts";
import { applyDrawn } from "../src/rand-augment.ts";

interface Case {
  name: string;
  fill?: FillMode;
  interpolation?: "bilinear" | "nearest";
  turns?: number[];
  height?: number[];
  width?: number[];
  down?: number[];
  right?: number[];
  values?: number[];
  factor?: number;
  bytes?: boolean;
  tenths: number[];
}

const golden = JSON.parse(readFileSync(new URL("./golden/augment.json", import.meta.url), "utf8")) as {
  shape: [number, number, number, number];
  source: number[];
  cases: Case[];
  equalize: { source: number[]; result: number[] };
};

const images = () => tf.tensor4d(Float32Array.from(golden.source), golden.shape);
const vector = (values: number[]) => tf.tensor1d(values);
const affine = ({ fill, interpolation }: Case) => ({ fill, interpolation, fillValue: 20 });

const changes: Record<string, (x: tf.Tensor4D, options: Case) => tf.Tensor4D> = {
  rotate: (x, each) => rotate(x, vector(each.turns!), affine(each)),
  zoom: (x, each) => zoom(x, vector(each.height!), vector(each.width!), affine(each)),
  translate: (x, each) => translate(x, vector(each.down!), vector(each.right!), affine(each)),
  brightness: (x, { values }) => adjustBrightness(x, vector(values!)),
  contrast: (x, { values }) => adjustContrast(x, vector(values!)),
  hue: (x, { values }) => adjustHue(x, vector(values!)),
  saturation: (x, { values }) => adjustSaturation(x, vector(values!)),
  brighten: (x, { factor }) => brighten(x, tf.mul(tf.ones([2, 1, 1, 1]), factor!)),
  color: (x, { factor }) => saturate(x, tf.mul(tf.ones([2, 1, 1, 1]), factor!)),
  "tone-contrast": (x, { factor }) => contrast(x, tf.mul(tf.ones([2, 1, 1, 1]), factor!)),
  sharpen: (x, { factor }) => sharpen(x, tf.mul(tf.ones([2, 1, 1, 1]), factor!)),
  posterize: (x) => posterize(x, 4),
  solarize: (x) => solarize(x, 110),
  "auto-contrast": autoContrast,
};

describe.each(["cpu", ...engines.filter((name) => name !== "gpu")])("on %s", (engine) => {
  beforeAll(async () => {
    if (engine === "cpu") await tf.setBackend("cpu");
    else await useEngine(engine as "native" | "wasm");
  });

  it.each(
    golden.cases.map((each) => ({
      ...each,
      title: [each.name, each.fill, each.interpolation, each.factor].filter(Boolean).join(" "),
    })),
  )("$title gives Keras' or torchvision's pixels", (each) => {
    const before = tf.memory().numTensors;
    const result = tf.tidy(() => changes[each.name]!(images(), each));
    expect(tf.memory().numTensors).toBe(before + 1);
    const got = result.dataSync();
    result.dispose();
    const far = each.tenths.map((value, i) => Math.abs(value / 10 - got[i]!));
    // torchvision's bytes drop what is behind the point, of the mean gray too.
    expect(Math.max(...far)).toBeLessThan(each.bytes === true ? 1.8 : 0.1);
  });

  it("equalize gives torchvision's levels", () => {
    const { source, result } = golden.equalize;
    const got = tf.tidy(() => equalize(tf.tensor4d(source, [1, 24, 24, 3])).dataSync());
    expect([...got]).toEqual(result);
  });

  it.each([
    ["flip", randomFlip("both"), [2, 7, 6, 3]],
    ["rotation and zoom", augmentations(randomRotation(0.1), randomZoom(0.2, { width: [-0.1, 0] })), [2, 7, 6, 3]],
    ["crop", randomCrop(5, 4, { pad: 1 }), [2, 5, 4, 3]],
    ["erasing", randomErasing({ probability: 1 }), [2, 7, 6, 3]],
    ["RandAugment", randAugment({ count: 3 }), [2, 7, 6, 3]],
    [
      "all by data",
      augmentationFrom({
        flip: "horizontal",
        rotation: 0.1,
        zoom: { factor: 0.2, fill: "wrap" },
        translation: 0.1,
        crop: { height: 7, width: 6, pad: 2 },
        brightness: 0.2,
        contrast: 0.2,
        hue: 0.1,
        saturation: [0.4, 0.6],
        erasing: {},
        randAugment: {},
      }),
      [2, 7, 6, 3],
    ],
  ] as const)("%s is the same for the same seed, and leaves one tensor", (_, augment, shape) => {
    const input = images();
    const before = tf.memory().numTensors;
    const [first, again, other] = [
      augment(input, seededRandom(1)),
      augment(input, seededRandom(1)),
      augment(input, seededRandom(2)),
    ];
    expect(tf.memory().numTensors).toBe(before + 3);
    expect(first.shape).toEqual(shape);
    expect(first.dataSync()).toEqual(again.dataSync());
    expect(first.dataSync()).not.toEqual(other.dataSync());
    expect(first.dataSync().every((value) => value >= -1e-3 && value <= 255.001)).toBe(true);
    tf.dispose([input, first, again, other]);
  });

  it("a crop of each image is a piece of it", () => {
    const ramp = tf.tensor4d(
      Float32Array.from({ length: 3 * 8 * 9 }, (_, i) => i),
      [3, 8, 9, 1],
    );
    const crops = randomCrop(4, 5)(ramp, seededRandom(3)).arraySync();
    for (const [image, rows] of crops.entries()) {
      const corner = rows[0]![0]![0]!;
      expect(Math.floor(corner / 72)).toBe(image);
      expect([(corner % 72) % 9 <= 4, Math.floor((corner % 72) / 9) <= 4]).toEqual([true, true]);
      for (const [y, row] of rows.entries()) expect(row.flat()).toEqual([0, 1, 2, 3, 4].map((x) => corner + 9 * y + x));
    }
  });

  it.each([
    ["horizontal", (h: number, w: number, x: number) => x - 2 * (x % w) + w - 1],
    ["vertical", (h: number, w: number, x: number) => (h - 1 - Math.floor(x / w)) * w + (x % w)],
  ] as const)("a %s flip mirrors about half of the images", (mode, mirrored) => {
    const row = Array.from({ length: 12 }, (_, i) => i);
    const many = tf.tile(tf.tensor4d(row, [1, 3, 4, 1]), [200, 1, 1, 1]) as tf.Tensor4D;
    const flipped = (tf.reshape(randomFlip(mode)(many, seededRandom(5)), [200, 12]).arraySync() as number[][]).map(
      String,
    );
    const mirror = String(row.map((x) => mirrored(3, 4, x)));
    expect(flipped.every((each) => each === String(row) || each === mirror)).toBe(true);
    expect(Math.abs(flipped.filter((each) => each === mirror).length - 100)).toBeLessThan(25);
  });

  it("erases a rectangle of the asked-for share", () => {
    const white = tf.mul(tf.ones([50, 20, 20, 3]), 200) as tf.Tensor4D;
    const erased = randomErasing({ probability: 1, scale: [0.1, 0.3], fillValue: 0 })(white, seededRandom(2));
    const shares = tf.mean(tf.cast(tf.equal(erased, 0), "float32"), [1, 2, 3]).dataSync();
    expect(Math.min(...shares)).toBeGreaterThan(0.05);
    expect(Math.max(...shares)).toBeLessThan(0.4);
  });

  it.each([
    ["mixup", mixup(0.4)],
    ["cutmix", cutmix(1)],
  ])("%s mixes labels as it mixes pixels", (_, mix) => {
    const levels = tf.tensor4d([0, 100, 200], [3, 1, 1, 1]);
    const flat = tf.tile(levels, [1, 16, 16, 1]) as tf.Tensor4D;
    const { images: mixed, labels } = mix(flat, tf.eye(3) as tf.Tensor2D, seededRandom(4));
    const means = tf.mean(mixed, [1, 2, 3]).arraySync() as number[];
    for (const [row, shares] of (labels.arraySync() as number[][]).entries()) {
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
      expect(shares[1]! * 100 + shares[2]! * 200).toBeCloseTo(means[row]!, 2);
      expect(shares[(row + 2) % 3]).toBe(0);
    }
  });

  it("smooths labels", () => {
    const smooth = smoothLabels(tf.tensor2d([[0, 1, 0, 0]]), 0.2).arraySync()[0]!;
    for (const [at, value] of [0.05, 0.85, 0.05, 0.05].entries()) expect(smooth[at]).toBeCloseTo(value, 6);
  });

  it.each(randAugmentOps.map((name, op) => ({ name, op })))(
    "RandAugment's $name changes only the image that drew it",
    ({ name, op }) => {
      const changed = tf.tidy(() =>
        applyDrawn(images(), tf.tensor1d([0, op]), tf.tensor1d([1, 1]), { magnitude: 9, fillValue: 128 }).arraySync(),
      );
      const source = tf.tidy(() => images().arraySync());
      expect(changed[0]).toEqual(source[0]);
      if (name === "identity" || name === "equalize") return;
      expect(changed[1]).not.toEqual(source[1]);
    },
  );

  it.each<[min: number, max: number]>([
    [0, 3],
    [-2, 0],
    [-1, 1],
    [5, 5],
  ])("numbers from %d to %d lie there, whatever tfjs-layers takes 0 for", (min, max) => {
    const drawn = layersRandom.uniform([5000], min, max).dataSync();
    expect(drawn.every((value) => value >= min && value <= max)).toBe(true);
    expect(layersRandom.normal([3], 7, 0).dataSync()).toEqual(Float32Array.of(7, 7, 7));
  });
});

describe("betaQuantiles", () => {
  it.each([0.1, 0.2, 0.4, 1, 2, 8])("of alpha %f have the distribution's variance", (alpha) => {
    const { table, power } = betaQuantiles("mixup", alpha);
    // E[(x - 1/2)^2] over the lower half, which is that over both: 1 / (4 (2 alpha + 1)).
    let sum = 0;
    for (let i = 0; i < 256 * 64; i++) {
      const place = (i + 0.5) / 64;
      const low = Math.floor(place);
      const y = table[low]! + (place - low) * (table[low + 1]! - table[low]!);
      sum += (y ** power - 0.5) ** 2;
    }
    expect(sum / (256 * 64)).toBeCloseTo(1 / (4 * (2 * alpha + 1)), 3);
  });
});

describe("augmentation refuses", () => {
  it.each<[() => unknown, string]>([
    [
      () => augmentationFrom({ flip: "sideways" as "both" }),
      'randomFlip: expected horizontal, vertical, both as mode, got "sideways".',
    ],
    [() => randomRotation(2), "randomRotation: expected a number or [from, to] between -1 and 1, got 2."],
    [
      () => randomRotation(0.1, { fil: "wrap" } as never),
      'randomRotation: expected the options fill, fillValue, interpolation, got "fil". Did you mean "fill"?',
    ],
    [
      () => randomZoom([0.3, -0.3]),
      "randomZoom height: expected a number or [from, to] between -0.999 and 1, got [0.3,-0.3].",
    ],
    [() => randAugment({ magnitude: 11 }), "randAugment: expected a magnitude from 0 to 10, got 11."],
    [() => randAugment({ count: 0 }), "randAugment: expected a whole number from 1 as count, got 0."],
    [() => mixup(0), "mixup: expected an alpha above 0 and at most 100, got 0."],
    [() => smoothLabels(tf.zeros([1, 2]), 1), "smoothLabels: expected an amount of at least 0 and below 1, got 1."],
    [() => randomCrop(9, 9)(images()), "randomCrop: expected images of at least 9x9, got 7x6."],
    [() => randomErasing({ probability: 2 }), "randomErasing: expected a probability between 0 and 1, got 2."],
    [
      () => mixup()(images(), tf.zeros([3, 2])),
      "mixup: expected labels of the shape [2, classes] (one-hot), got [3, 2].",
    ],
    [() => adjustHue(tf.zeros([1, 2, 2, 1]), tf.zeros([1])), "adjustHue: expected images of 3 channels (RGB), got 1."],
    [
      () => adjustBrightness(tf.zeros([1, 2, 2, 1]), tf.zeros([1]), { range: [1, 0] }),
      "adjustBrightness: expected the values of pixels as [low, high], low first, got [1,0].",
    ],
    [
      () => randomFlip()(tf.zeros([2, 2, 3]) as never),
      "Augmentation: expected a batch of images [n, height, width, channels], got the shape [2,2,3].",
    ],
    [
      () => augmentationFrom({ flop: 1 } as never),
      "augmentationFrom: expected the options flip, rotation, zoom, translation, crop, brightness, contrast, hue, " +
        'saturation, erasing, randAugment, autoAugment, trivialAugment, augMix, threeAugment, got "flop". Did you mean "flip"?',
    ],
  ])("%s", (make, message) => {
    expect(make).toThrow(new OptionError(message));
  });
});
