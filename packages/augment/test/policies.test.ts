import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { useEngine } from "@convkit/engine";
import { OptionError } from "@convkit/errors";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { Augmentation, RandomSource } from "../src/index.ts";
import { augmentationFrom, augMix, autoAugment, threeAugment, trivialAugment } from "../src/index.ts";
import { applyChanges } from "../src/pillow/apply-changes.ts";
import type { Change, PillowOp } from "../src/pillow/change.ts";
import { gaussianBlur } from "../src/pillow/gaussian-blur.ts";

type Shape = [h: number, w: number, c: number];

interface Drawn {
  shape: Shape;
  /** The numbers of each draw, from 0 to 1. */
  draws: number[][];
  crcs: number[];
}

const golden = JSON.parse(readFileSync(new URL("./golden/policies.json", import.meta.url), "utf8")) as {
  shapes: Shape[];
  ops: { op: string; magnitude: number; crcs: number[] }[];
  blurs: { radius: number; crcs: number[] }[];
  autoAugment: (Drawn & { name: "imagenet" | "cifar10" | "svhn" })[];
  trivialAugment: Drawn;
  augMix: Drawn & { bytes: string };
  threeAugment: Drawn;
};

/** The formula of tools/golden/augment-policies.py. */
function picture(seed: number, [h, w, c]: Shape): Uint8Array {
  const [low, high] = seed % 3 === 2 ? [60 + seed, 60 + seed + 53] : [0, 255];
  return Uint8Array.from({ length: h * w * c }, (_, i) => {
    const drawn = Math.imul(i + seed * 7919, 2_654_435_761) >>> 8;
    return low + (drawn % (high - low + 1));
  });
}

function pictures(count: number, shape: Shape): tf.Tensor4D {
  const pixels = Array.from({ length: count }, (_, seed) => [...picture(seed, shape)]).flat();
  return tf.tensor(pixels, [count, ...shape]);
}

/** A source that gives the numbers of the golden, one list a draw. */
function given(draws: readonly number[][]): RandomSource {
  const left = [...draws];
  return {
    uniform(_, min, max) {
      const numbers = tf.tensor1d(left.shift()!);
      return tf.add(tf.mul(numbers, max - min), min);
    },
    normal: () => tf.scalar(Number.NaN),
  };
}

function crcsOf(images: tf.Tensor4D): number[] {
  return tf.unstack(images).map((image) => crc32(Uint8Array.from(image.dataSync())));
}

function crcsWith(augmentation: Augmentation, { shape, draws, crcs }: Drawn): number[] {
  return tf.tidy(() => crcsOf(augmentation(pictures(crcs.length, shape), given(draws))));
}

const opOf = (name: string) => name.replace(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase() as PillowOp;

describe.each(engines)("on %s", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
  });

  it.each(golden.ops)("makes Pillow's bytes of $op $magnitude", ({ op, magnitude, crcs }) => {
    for (const [seed, shape] of golden.shapes.entries()) {
      const got = tf.tidy(() => {
        const image = tf.tensor([...picture(seed, shape)], [1, ...shape]) as tf.Tensor4D;
        // A second row of the table shows that the image's own is taken.
        const changes: Change[] = [
          { op: "invert", magnitude: 0 },
          { op: opOf(op), magnitude },
        ];
        return crcsOf(applyChanges(image, changes, tf.tensor1d([1], "int32")));
      });
      expect(got, shape.join("x")).toEqual([crcs[seed]]);
    }
  });

  it.each(golden.blurs)("blurs as Pillow with radius $radius", ({ radius, crcs }) => {
    for (const [seed, shape] of golden.shapes.entries()) {
      const image = tf.tensor([...picture(seed, shape)], [1, ...shape]) as tf.Tensor4D;
      expect(crcsOf(gaussianBlur(image, [2, radius], tf.tensor1d([1], "int32"))), shape.join("x")).toEqual([
        crcs[seed],
      ]);
      image.dispose();
    }
  });

  it.each(golden.autoAugment)("draws torchvision's policy $name", (drawn) => {
    expect(crcsWith(autoAugment({ policy: drawn.name }), drawn)).toEqual(drawn.crcs);
  });

  it("draws torchvision's TrivialAugmentWide", () => {
    expect(crcsWith(trivialAugment(), golden.trivialAugment)).toEqual(golden.trivialAugment.crcs);
  });

  it("draws timm's 3-Augment with torchvision's color jitter", () => {
    expect(crcsWith(threeAugment(), golden.threeAugment)).toEqual(golden.threeAugment.crcs);
  });

  it("mixes chains as torchvision's AugMix", () => {
    const { shape, draws, bytes } = golden.augMix;
    const expected = Buffer.from(bytes, "base64");
    const got = tf.tidy(() => augMix()(pictures(6, shape), given(draws)).dataSync());
    const far = got.filter((value, i) => value !== expected[i]!);
    // A share that rounds otherwise may carry a value over a whole number.
    expect(far.length).toBeLessThan(expected.length / 200);
    for (const [i, value] of got.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1);
  });

  it("stretches every pair of levels as Pillow's float64 does", () => {
    const lows = [0, 1, 50, 119];
    const pairs = lows.flatMap((low) => Array.from({ length: 255 - low }, (_, i) => [low, low + 1 + i] as const));
    const images = pairs.map(([low, high]) => Array.from({ length: 256 }, (_, i) => Math.min(Math.max(i, low), high)));
    const got = tf.tidy(() => {
      const batch = tf.tensor4d(images.flat(), [images.length, 1, 256, 1]);
      return applyChanges(
        batch,
        [{ op: "auto-contrast", magnitude: 0 }],
        tf.zeros([images.length], "int32"),
      ).dataSync();
    });
    const expected = pairs.flatMap(([low, high], place) => {
      const scale = 255 / (high - low);
      const offset = -low * scale;
      return images[place]!.map((level) => Math.min(Math.max(Math.trunc(level * scale + offset), 0), 255));
    });
    expect([...got]).toEqual(expected);
  });
});

it("refuses options that no policy has", () => {
  const refused = (make: () => unknown) => expect(make).toThrow(OptionError);
  refused(() => autoAugment({ policy: "mnist" as "svhn" }));
  refused(() => autoAugment({ fillValue: 0.5 }));
  refused(() => trivialAugment({ levels: 1 }));
  refused(() => augMix({ severity: 11 }));
  refused(() => threeAugment({ jitter: 2 }));
  refused(() => augmentationFrom({ autoAugment: { polisy: "svhn" } as object }));
});
