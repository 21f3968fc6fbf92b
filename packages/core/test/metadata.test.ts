import {
  build,
  chain,
  classActivation,
  conv,
  dense,
  features,
  globalAvgPool,
  metadataFromJson,
  modelMetadata,
  preprocess,
  preprocessingFor,
  replaceHead,
  setModelMetadata,
  torchPixels,
  withoutAux,
} from "@convkit/core";
import type { Architecture, HeadOptions, ModelMetadata, Preprocessing } from "@convkit/core";
import "@tensorflow/tfjs-backend-cpu";
import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";

const head = (options: HeadOptions): ReturnType<typeof chain> =>
  chain({ pool: globalAvgPool(), fc: dense(options.classes, { activation: classActivation(options) }) });

const small: Architecture = {
  name: "small",
  paper: "none",
  input: [8, 12, 3],
  smallest: 4,
  classes: 3,
  params: 0,
  trainable: 0,
  macs: 0,
  preprocessing: torchPixels,
  body: chain({ stem: conv(4, 3, { padding: "same", stride: 2 }), last: conv(4, 3, { padding: "same" }) }),
  head,
  aux: { stem: head },
  auxLossWeight: 0.3,
};

const built: ModelMetadata = {
  architecture: "small",
  images: { size: [8, 12] },
  preprocessing: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  stages: ["last"],
};

describe("a model's metadata", () => {
  it("comes from the architecture: its name, the images' size, the pixels", () => {
    expect(modelMetadata(build(small))).toEqual(built);
    expect(modelMetadata(build(small, { input: [5, 7, 3] })).images).toEqual({ size: [5, 7] });
  });

  it("has the loss weights of auxiliary outputs, until those are left out", () => {
    const model = build(small, { aux: true });
    expect(modelMetadata(model)).toEqual({ ...built, outputWeights: [1, 0.3] });
    expect(modelMetadata(withoutAux(model))).toEqual(built);
  });

  it("is empty for other models, and set on Sequential ones", () => {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [3] })] });
    expect(modelMetadata(model)).toEqual({});
    expect(setModelMetadata(model, { classes: ["a", "b"] })).toBe(model);
    expect(modelMetadata(model)).toEqual({ classes: ["a", "b"] });
  });

  it("changes field by field; undefined removes", () => {
    const model = build(small);
    setModelMetadata(model, { classes: ["ant", "bee", "cat"], images: { size: [8, 12], crop: true, resize: "area" } });
    setModelMetadata(model, { name: "run 7", preprocessing: undefined });
    expect(modelMetadata(model)).toEqual({
      name: "run 7",
      architecture: "small",
      classes: ["ant", "bee", "cat"],
      images: { size: [8, 12], crop: true, resize: "area" },
      stages: ["last"],
    });
  });

  it("does not change with the object that it was set from", () => {
    const classes = ["ant", "bee", "cat"];
    const model = setModelMetadata(build(small), { classes });
    classes[0] = "dog";
    expect(modelMetadata(model).classes).toEqual(["ant", "bee", "cat"]);
  });

  it.each<[string, (model: tfl.LayersModel) => tfl.LayersModel]>([
    ["another head", (model) => replaceHead(model, 5)],
    ["feature maps", (model) => features(model, ["stem"])],
  ])("stays for %s, but for the classes", (_, change) => {
    const model = setModelMetadata(build(small, { aux: true }), { name: "mine", classes: ["ant", "bee", "cat"] });
    expect(modelMetadata(change(model))).toEqual({ ...built, name: "mine" });
  });

  it("is saved beside the layers, not in their configuration, and other users' metadata stays", async () => {
    const model = build(small);
    model.setUserDefinedMetadata({ mine: 1, ...model.getUserDefinedMetadata() });
    setModelMetadata(model, { classes: ["ant", "bee", "cat"] });
    let artifacts: tf.io.ModelArtifacts = {};
    await model.save({
      save: async (made) => {
        artifacts = made;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
      },
    });
    expect(JSON.stringify(artifacts.modelTopology)).not.toMatch(/ant|preprocessing|convkit/);
    expect(JSON.stringify(model.toJSON())).not.toMatch(/ant|preprocessing|convkit/);
    expect(artifacts.userDefinedMetadata).toEqual({
      mine: 1,
      convkit: { ...built, classes: ["ant", "bee", "cat"] },
    });
    const loaded = await tfl.loadLayersModel(tf.io.fromMemory(artifacts));
    expect(modelMetadata(loaded)).toEqual({ ...built, classes: ["ant", "bee", "cat"] });
  });

  it.each<[object, string]>([
    [
      { class: ["a"] },
      'metadata of small: expected the options name, architecture, source, classes, thresholds, images, preprocessing, stages, outputWeights, got "class". Did you mean "classes"?',
    ],
    [{ name: 3 }, "metadata of small: expected name to be text, got 3."],
    [{ classes: "abc" }, 'metadata of small: expected classes to be a list of names, got "abc".'],
    [{ classes: ["a", "b", "a"] }, 'metadata of small: expected each class once, got "a".'],
    [
      { classes: ["a", "b", "c", "d"] },
      "metadata of small: expected at most 3 classes, as many as the outputs tell apart, got 4.",
    ],
    [{ outputWeights: [1, 0.3] }, "metadata of small: expected 1 outputWeights, one an output, got 2."],
    [{ outputWeights: [-1] }, "metadata of small: expected outputWeights to be numbers from 0 on, got [-1]."],
    [{ thresholds: [2] }, "metadata of small: expected thresholds to be numbers from 0 to 1, got [2]."],
    [{ thresholds: ["0.5"] }, 'metadata of small: expected thresholds to be numbers from 0 to 1, got ["0.5"].'],
    [{ thresholds: [null] }, "metadata of small: expected thresholds to be numbers from 0 to 1, got [null]."],
    [
      { images: { size: [8] } },
      "metadata of small: expected size to be [height, width] in whole pixels from 1, got [8].",
    ],
    [
      { images: { resize: "linear" } },
      'metadata of small: expected resize to be one of bilinear, nearest, bicubic, area, antialiased, got "linear".',
    ],
    [
      { images: { crop: 2 } },
      "metadata of small: expected crop to be true, false or a share of the image from 0 to 1, got 2.",
    ],
    [
      { images: { crops: true } },
      'metadata of small, images: expected the options size, resize, crop, orient, got "crops". Did you mean "crop"?',
    ],
    [
      { preprocessing: { std: [0.2, 0] } },
      "metadata of small, preprocessing: expected std to be a list of numbers other than 0, got [0.2,0].",
    ],
    [
      { preprocessing: { scale: Number.NaN } },
      'metadata of small, preprocessing: expected scale to be a number, got "NaN".',
    ],
    [
      { preprocessing: { order: "brg" } },
      'metadata of small, preprocessing: expected order to be "rgb" or "bgr", got "brg".',
    ],
  ])("refuses %j and changes nothing", (metadata, message) => {
    const model = build(small);
    expect(() => setModelMetadata(model, metadata)).toThrow(new OptionError(message));
    expect(modelMetadata(model)).toEqual(built);
  });

  it("takes two names for one sigmoid", () => {
    const model = setModelMetadata(build(small, { classes: 1 }), { classes: ["cat", "dog"] });
    expect(modelMetadata(model).classes).toEqual(["cat", "dog"]);
  });
});

describe("metadata from a file", () => {
  it("keeps what it knows", () => {
    const json = { ...built, name: "run", classes: ["a"], seed: 5, outputWeights: null };
    expect(metadataFromJson("model.json", json)).toEqual({ ...built, name: "run", classes: ["a"] });
  });

  it.each<[unknown, string]>([
    [[], "model.json: expected an object of metadata, got []."],
    [null, "model.json: expected an object of metadata, got null."],
    [{ classes: { length: 1e9 } }, 'model.json: expected classes to be a list of names, got {"length":1000000000}.'],
    [
      { preprocessing: [] },
      "model.json, preprocessing: expected an object of options (scale, order, mean, std), got [].",
    ],
    [
      { preprocessing: { invert: true } },
      'model.json, preprocessing: expected the options scale, order, mean, std, got "invert".',
    ],
  ])("%j is refused", (json, message) => {
    expect(() => metadataFromJson("model.json", json)).toThrow(new OptionError(message));
    class Own extends Error {}
    expect(() => metadataFromJson("model.json", json, (sentence) => new Own(sentence))).toThrow(new Own(message));
  });
});

describe("preprocessing for other channels", () => {
  it.each<[Parameters<typeof preprocessingFor>, ReturnType<typeof preprocessingFor>]>([
    [[torchPixels, 3], torchPixels],
    [[{ order: "bgr", mean: [10, 20, 60] }, 1], { mean: [30] }],
    [[{ scale: 2, mean: [1], std: [1, 2, 3, 6] }, 8], { scale: 2, mean: [1], std: [3] }],
    [[{ order: "bgr", mean: [10, 20, 60, 2] }, 3], { order: "bgr", mean: [23] }],
  ])("%j", ([preprocessing, channels], expected) => {
    expect(preprocessingFor(preprocessing, channels)).toEqual(expected);
  });
});

it.each([
  [{ mean: [1, 2] }, "preprocess: expected images of 2 channels, as mean has, got 3."],
  [{ means: [1, 2, 3] }, 'preprocess: expected the options scale, order, mean, std, got "means". Did you mean "mean"?'],
])("preprocess refuses %j", (preprocessing, message) => {
  expect(() => preprocess(tf.zeros([1, 2, 2, 3]), preprocessing as Preprocessing)).toThrow(new OptionError(message));
});
