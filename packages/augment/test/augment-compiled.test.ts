import { useEngine } from "@convkit/engine";
import { compile } from "@convkit/graph";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { AugmentationSpec } from "../src/augmentation-spec.ts";
import { augmentationFrom } from "../src/augmentation-spec.ts";
import { randomFlip } from "../src/geometry/random-geometry.ts";
import { mixup } from "../src/mix/mixing.ts";
import { seededRandom } from "../src/random/random-source.ts";

describe.skipIf(!engines.includes("native"))("in a compiled step", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  it.each<AugmentationSpec>([
    { flip: "both" },
    { rotation: 0.1, zoom: 0.2, translation: 0.1 },
    { crop: { height: 8, width: 8, pad: 2 } },
    { brightness: 0.2, contrast: 0.3, hue: 0.2, saturation: [0.3, 0.7] },
    { erasing: { probability: 1 } },
    { randAugment: { count: 2 } },
    { autoAugment: "cifar10" },
    { trivialAugment: {} },
    { augMix: {} },
    { threeAugment: {} },
  ])("%o draws anew at every run", async (spec) => {
    const augment = augmentationFrom(spec);
    const step = compile((images: tf.Tensor) => augment(images as tf.Tensor4D), { seed: 1 });
    const images = { data: Uint8Array.from({ length: 4 * 8 * 8 * 3 }, (_, i) => (i * 53) % 256), shape: [4, 8, 8, 3] };
    const runs = [await step(images), await step(images), await step(images)];
    expect(runs[0]!.shape).toEqual([4, 8, 8, 3]);
    const texts = new Set(runs.map(({ data }) => Array.from(data as Float32Array).join()));
    expect(texts.size).toBeGreaterThan(1);
    await step.dispose();
  });

  it("refuses random numbers drawn in JavaScript, which would be the same at every run", async () => {
    const flip = randomFlip("horizontal");
    const step = compile((images: tf.Tensor) => flip(images as tf.Tensor4D, seededRandom(1)));
    await expect(step({ data: new Uint8Array(12), shape: [1, 2, 2, 3] })).rejects.toThrow(
      "draws its numbers in JavaScript: in a compiled function they would be the same at every run",
    );
    const noise = compile((x: tf.Tensor) => tf.add(x, seededRandom(1).normal([2], 0, 1)));
    await expect(noise({ data: new Float32Array(2), shape: [2] })).rejects.toThrow("draws its numbers in JavaScript");
  });

  it("mixes labels too", async () => {
    const mix = mixup(0.4);
    const step = compile((images: tf.Tensor, labels: tf.Tensor) => mix(images as tf.Tensor4D, labels as tf.Tensor2D));
    const images = { data: Uint8Array.from({ length: 2 * 4 }, (_, i) => (i < 4 ? 0 : 200)), shape: [2, 2, 2, 1] };
    const labels = { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] };
    const { images: mixed, labels: shares } = await step(images, labels);
    expect((shares.data as Float32Array)[1]! * 200).toBeCloseTo((mixed.data as Float32Array)[0]!, 3);
    await step.dispose();
  });
});
