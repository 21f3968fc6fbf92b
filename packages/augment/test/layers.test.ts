import { useEngine } from "@convkit/engine";
import { OptionError } from "@convkit/errors";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  KerasOnlyAugmentation,
  RandAugment,
  RandomBrightness,
  RandomContrast,
  RandomCrop,
  RandomErasing,
  RandomFlip,
  RandomHue,
  RandomRotation,
  RandomSaturation,
  RandomShear,
  RandomTranslation,
  RandomZoom,
  registerAugmentationLayers,
} from "../src/index.ts";

/** A layer of each class, with the arguments that Keras 3 would read from its file. */
const layers: [make: () => tfl.layers.Layer, kerasConfig: Record<string, unknown>][] = [
  [() => new RandomFlip(), { mode: "horizontal_and_vertical" }],
  [
    () => new RandomRotation({ factor: 0.1, fillMode: "constant", fillValue: 3 }),
    { factor: [-0.1, 0.1], fill_mode: "constant", fill_value: 3, interpolation: "bilinear" },
  ],
  [
    () => new RandomZoom({ heightFactor: [0.2, -0.1], interpolation: "nearest", seed: 4 }),
    {
      height_factor: [-0.1, 0.2],
      width_factor: null,
      fill_mode: "reflect",
      fill_value: 0,
      interpolation: "nearest",
      seed: 4,
    },
  ],
  [
    () => new RandomTranslation({ heightFactor: 0.1, widthFactor: [0, 0.2], fillMode: "wrap" }),
    {
      height_factor: [-0.1, 0.1],
      width_factor: [0, 0.2],
      fill_mode: "wrap",
      fill_value: 0,
      interpolation: "bilinear",
    },
  ],
  [
    () => new RandomShear({ xFactor: 0.2, yFactor: [0.1, 0.3] }),
    { x_factor: 0.2, y_factor: [0.1, 0.3], fill_mode: "reflect", fill_value: 0, interpolation: "bilinear" },
  ],
  [() => new RandomCrop({ height: 5, width: 4 }), { height: 5, width: 4 }],
  [() => new RandomBrightness({ factor: 0.2 }), { factor: [-0.2, 0.2], value_range: [0, 255] }],
  [() => new RandomContrast({ factor: 0.2, valueRange: [0, 1] }), { factor: [0.2, 0.2], value_range: [0, 1] }],
  [() => new RandomHue({ factor: 0.3 }), { factor: [0, 0.3], value_range: [0, 255] }],
  [() => new RandomSaturation({ factor: [0.4, 0.6] }), { factor: [0.4, 0.6], value_range: [0, 255] }],
  [
    () => new RandomErasing({ factor: [1, 1], fillValue: [1, 2, 3] }),
    { factor: [1, 1], scale: [0.02, 0.33], fill_value: [1, 2, 3], value_range: [0, 255] },
  ],
  [() => new RandAugment({ factor: 0.3 }), { num_ops: 2, factor: [0.3, 0.3], value_range: [0, 255] }],
];

const named = layers.map(([make, config]) => ({ name: make().getClassName(), make, config }));

describe.each(engines.filter((name) => name !== "gpu"))("on %s", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
    registerAugmentationLayers();
  });

  const images = () =>
    tf.tensor4d(
      Float32Array.from({ length: 2 * 7 * 6 * 3 }, (_, i) => (i * 37) % 256),
      [2, 7, 6, 3],
    );

  it.each(named)("$name augments in training only, and frees its tensors", ({ name, make }) => {
    const layer = make();
    const x = images();
    layer.apply(x);
    const before = tf.memory().numTensors;
    const still = layer.apply(x) as tf.Tensor;
    const trained = layer.apply(x, { training: true }) as tf.Tensor;
    expect(tf.memory().numTensors).toBe(before + 2);
    expect(trained.shape).toEqual(layer.computeOutputShape(x.shape));
    expect(still.shape).toEqual(trained.shape);
    if (name !== "RandomCrop") expect(still.dataSync()).toEqual(x.dataSync());
  });

  it.each(named)("$name is written with Keras' configuration", ({ name, make, config }) => {
    const layer = make() as RandomFlip;
    expect([layer.kerasClass, layer.kerasConfig]).toEqual([
      name,
      { seed: null, data_format: "channels_last", ...config },
    ]);
  });

  it.each(named)("$name is read again from a model's JSON", async ({ make }) => {
    const input = tfl.input({ shape: [7, 6, 3] });
    const layer = make();
    const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
    const copy = await tfl.models.modelFromJSON(JSON.parse(model.toJSON() as unknown as string) as never);
    expect(copy.layers[1]!.getClassName()).toBe(layer.getClassName());
    expect(copy.layers[1]!.getConfig()).toEqual(layer.getConfig());
    expect((copy.predict(images()) as tf.Tensor).dataSync()).toEqual((layer.apply(images()) as tf.Tensor).dataSync());
  });

  it("a crop takes the whole of images in its proportions, resized, where nothing is drawn", () => {
    const ramp = tf.tensor4d(
      Float32Array.from({ length: 8 * 12 }, (_, i) => i % 12),
      [1, 8, 12, 1],
    );
    // The middle 8x8 of 8x12 has the columns 2 … 9; halved, each new column lies between two of them.
    const still = new RandomCrop({ height: 4, width: 4 }).apply(ramp) as tf.Tensor;
    expect([...still.dataSync()]).toEqual(Array.from({ length: 16 }, (_, i) => 2.5 + 2 * (i % 4)));
  });

  it("a layer of Keras that is not computed here predicts, and refuses training", async () => {
    const layer = new KerasOnlyAugmentation({ kerasClass: "AugMix", kerasConfig: { num_chains: 3 }, name: "mix" });
    expect((layer.apply(images()) as tf.Tensor).dataSync()).toEqual(images().dataSync());
    expect(() => layer.apply(images(), { training: true })).toThrow(
      new OptionError(
        "mix: expected no training, because Keras' AugMix is not computed here; take the layer out of the model.",
      ),
    );
    const input = tfl.input({ shape: [7, 6, 3] });
    const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
    const copy = await tfl.models.modelFromJSON(JSON.parse(model.toJSON() as unknown as string) as never);
    expect(copy.layers[1]).toMatchObject({ kerasClass: "AugMix", kerasConfig: { num_chains: 3 } });
  });
});

describe("older files", () => {
  /** What convkit 0.1 wrote for Keras' layers that it had read, as tfjs hands it to `fromConfig`. */
  it.each([
    [{ flip: "horizontal" }, "RandomFlip", { mode: "horizontal" }],
    [{ flip: "horizontalAndVertical" }, "RandomFlip", { mode: "horizontal_and_vertical" }],
    [{ rotation: [-0.1, 0.2], fill: "nearest" }, "RandomRotation", { factor: [-0.1, 0.2], fillMode: "nearest" }],
    [{ height: [-0.1, 0.1], moves: "zoom" }, "RandomZoom", { heightFactor: [-0.1, 0.1], widthFactor: null }],
    [
      { height: [0, 0.1], width: [-0.2, 0.2], moves: "translation" },
      "RandomTranslation",
      { heightFactor: [0, 0.1], widthFactor: [-0.2, 0.2] },
    ],
    [{ contrast: [0.75, 1.5] }, "RandomContrast", { factor: [0.25, 0.5] }],
    [{ brightness: [-51, 51] }, "RandomBrightness", { factor: [-0.2, 0.2], valueRange: [0, 255] }],
    [{ brightness: [-0.2, 0.2] }, "RandomBrightness", { factor: [-0.2, 0.2], valueRange: [0, 1] }],
  ])("RandomAugmentation with %o becomes %s", (augmentation, className, config) => {
    registerAugmentationLayers();
    const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap["RandomAugmentation"]!;
    const layer = fromConfig(cls, { name: "old", augmentation } as never) as unknown as tfl.layers.Layer;
    expect([layer.name, layer.getClassName()]).toEqual(["old", className]);
    expect(layer.getConfig()).toMatchObject(config);
  });

  it("negative factors of contrast are what they were", () => {
    expect(new RandomContrast({ factor: [-0.2, 0.3] }).getConfig()["factor"]).toEqual([0.2, 0.3]);
  });
});

describe("layers refuse", () => {
  it.each<[() => unknown, string]>([
    [
      () => new RandomFlip({ mode: "up" as "vertical" }),
      'RandomFlip: expected horizontal, vertical, horizontal_and_vertical as mode, got "up".',
    ],
    [
      () => new RandomRotation({ factor: 2 }),
      "RandomRotation: expected a number or [from, to] between -1 and 1, got 2.",
    ],
    [
      () => new RandomZoom({ heightFactor: 0.1, fillMode: "mirror" as "wrap" }),
      'RandomZoom: expected reflect, wrap, nearest, constant as fillMode, got "mirror".',
    ],
    [
      () => new RandomFlip({ dataFormat: "channels_first" }),
      'RandomFlip: expected "channels_last" as dataFormat, got "channels_first".',
    ],
    [
      () => new RandomCrop({ height: 0, width: 3 }),
      "RandomCrop: expected whole numbers from 1 as height and width, got 0.",
    ],
    [
      () => new RandAugment({ factor: [0, 0.5] as never }),
      "RandAugment: expected a number from 0 to 1 as factor, got [0,0.5].",
    ],
    [
      () => new RandomErasing({ fillValue: "red" as never }),
      'RandomErasing: expected a number, or one a channel, as fillValue, got "red".',
    ],
  ])("%s", (make, message) => {
    expect(make).toThrow(new OptionError(message));
  });

  it("unknown arguments, naming the near one", () => {
    expect(() => new RandomFlip({ mod: "vertical" } as never)).toThrow('Did you mean "mode"?');
  });
});
