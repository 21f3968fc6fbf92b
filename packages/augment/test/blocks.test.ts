import { chain, dense, flatten, network } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import {
  randAugment,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomErasing,
  randomFlip,
  randomHue,
  randomRotation,
  randomSaturation,
  randomShear,
  randomTranslation,
  randomZoom,
} from "../src/blocks.ts";

beforeAll(async () => {
  await useEngine("wasm");
});

const blocks = [
  randomFlip("both"),
  randomRotation(0.1, { fill: "constant", fillValue: 3, seed: 4 }),
  randomZoom(0.2, { width: [0, 0.1] }),
  randomTranslation(0.1),
  randomShear(0.2, { y: 0.1 }),
  randomCrop(6),
  randomBrightness(0.2, { range: [0, 1] }),
  randomContrast(0.3),
  randomHue(0.1),
  randomSaturation([0.4, 0.6]),
  randomErasing({ probability: 0.25, fillValue: 7 }),
  randAugment({ count: 1, magnitude: 5 }),
];

it("blocks are Keras' layers with Keras' automatic names, and a saved model has them back", async () => {
  const model = network([8, 8, 3], chain([...blocks, randomFlip(), flatten(), dense(2)]));
  const settings = (made: tfl.LayersModel) => made.layers.slice(1, 14).map((each) => each.getConfig());
  expect(model.layers.slice(1, 14).map((each) => [each.getClassName(), each.name])).toEqual([
    ["RandomFlip", "random_flip"],
    ["RandomRotation", "random_rotation"],
    ["RandomZoom", "random_zoom"],
    ["RandomTranslation", "random_translation"],
    ["RandomShear", "random_shear"],
    ["RandomCrop", "random_crop"],
    ["RandomBrightness", "random_brightness"],
    ["RandomContrast", "random_contrast"],
    ["RandomHue", "random_hue"],
    ["RandomSaturation", "random_saturation"],
    ["RandomErasing", "random_erasing"],
    ["RandAugment", "rand_augment"],
    ["RandomFlip", "random_flip_1"],
  ]);
  expect(settings(model)).toMatchObject([
    { mode: "horizontal_and_vertical" },
    { factor: [-0.1, 0.1], fillMode: "constant", fillValue: 3, seed: 4 },
    { heightFactor: [-0.2, 0.2], widthFactor: [0, 0.1] },
    { heightFactor: [-0.1, 0.1], widthFactor: [-0.1, 0.1] },
    { xFactor: 0.2, yFactor: 0.1 },
    { height: 6, width: 6 },
    { factor: [-0.2, 0.2], valueRange: [0, 1] },
    { factor: [0.3, 0.3] },
    { factor: [0, 0.1] },
    { factor: [0.4, 0.6] },
    { factor: [0.25, 0.25], fillValue: 7 },
    { numOps: 1, factor: 0.5 },
    { mode: "horizontal" },
  ]);
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved!));
  expect(settings(loaded)).toEqual(settings(model));
});

it("a block changes images in training only", () => {
  const model = network([2, 2, 1], randomFlip());
  const images = tf.tensor4d(Array.from({ length: 64 }, () => [1, 2, 3, 4]).flat(), [64, 2, 2, 1]);
  expect([...(model.predict(images) as tf.Tensor).dataSync()]).toEqual([...images.dataSync()]);
  const changed = (model.apply(images, { training: true }) as tf.Tensor).dataSync();
  const kinds = Array.from({ length: 64 }, (_, i) => changed.slice(4 * i, 4 * i + 4).join(" "));
  expect([...new Set(kinds)].toSorted()).toEqual(["1 2 3 4", "2 1 4 3"]);
});

it("what a block cannot take is refused when the block is written", () => {
  expect(() => randomFlip("sideways" as never)).toThrow(
    new OptionError('randomFlip: expected horizontal, vertical, both as mode, got "sideways".'),
  );
  expect(() => randomRotation("0.1" as never)).toThrow(OptionError);
  expect(() => randomZoom(0.2, { fillMode: "wrap" } as never)).toThrow(/randomZoom: .*fillMode/);
  expect(() => randomErasing(0.5 as never)).toThrow(OptionError);
});
