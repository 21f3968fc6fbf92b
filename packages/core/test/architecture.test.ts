import {
  build,
  chain,
  classActivation,
  concat,
  conv,
  dense,
  dropout,
  features,
  flatten,
  freeze,
  maxPool,
  replaceHead,
  summarize,
  summaryText,
  unitPixels,
  withoutAux,
} from "@convkit/core";
import type { Architecture, BuildOptions, HeadOptions } from "@convkit/core";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";

const same = { padding: "same" } as const;

function head(options: HeadOptions): ReturnType<typeof chain> {
  return chain({
    flatten: flatten(),
    dropout: dropout(options.dropout ?? 0.3),
    fc: dense(options.classes, { activation: classActivation(options) }),
  });
}

const small: Architecture = {
  name: "small",
  paper: "none",
  input: [8, 8, 1],
  smallest: 4,
  classes: 10,
  params: 346,
  trainable: 346,
  macs: 1_664,
  preprocessing: unitPixels,
  body: chain({
    stem: conv(2, 3, { ...same, activation: "relu" }),
    pool1: maxPool(2, 2, { padding: "valid" }),
    mix: concat({ a: conv(2, 1, same), b: conv(2, 1, same) }),
    pool2: maxPool(2, 2, { padding: "valid" }),
  }),
  head,
  aux: { pool1: head },
  auxLossWeight: 0.3,
};

/** A network that ends as MobileNet or as SqueezeNet does. */
function ended(how: "convolution" | "pool"): tfl.LayersModel {
  const input = tfl.input({ shape: [8, 8, 1] });
  const stem = tfl.layers.conv2d({ filters: 4, kernelSize: 3 });
  const layers =
    how === "pool"
      ? [
          stem,
          tfl.layers.conv2d({ filters: 5, kernelSize: 1, activation: "relu", name: "conv" }),
          tfl.layers.globalAveragePooling2d({ name: "pool" }),
          tfl.layers.softmax({ name: "act" }),
        ]
      : [
          stem,
          tfl.layers.averagePooling2d({ poolSize: 6 }),
          tfl.layers.conv2d({ filters: 5, kernelSize: 1, name: "conv" }),
          tfl.layers.reshape({ targetShape: [5] }),
          tfl.layers.activation({ activation: "softmax", name: "act" }),
        ];
  return tfl.model({
    inputs: input,
    outputs: layers.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input),
  });
}

const shapes = (model: tfl.LayersModel): (number | null)[][] => model.outputs.map(({ shape }) => shape.slice(1));

describe("build", () => {
  it.each<[string, BuildOptions, (number | null)[][]]>([
    ["as it is", {}, [[10]]],
    ["other classes and input", { classes: 3, input: [9, 13, 4] }, [[3]]],
    ["without its top", { includeTop: false }, [[2, 2, 4]]],
    ["without its top, mean", { includeTop: false, pooling: "avg" }, [[4]]],
    ["without its top, maximum", { includeTop: false, pooling: "max" }, [[4]]],
    ["with auxiliary classifiers", { aux: true }, [[10], [10]]],
  ])("%s", (_, options, expected) => {
    expect(shapes(build(small, options))).toEqual(expected);
  });

  it.each([
    [1, false, "sigmoid"],
    [2, false, "softmax"],
    [2, true, "linear"],
  ])("ends %i classes, logits %s, in %s", (classes, logits, activation) => {
    expect(build(small, { classes, logits }).getLayer("fc").getConfig()["activation"]).toBe(activation);
  });

  it("takes another rate of dropout", () => {
    expect(build(small, { dropout: 0.1 }).getLayer("dropout").getConfig()["rate"]).toBe(0.1);
  });

  it("has the same weights from the same seed", () => {
    const values = (seed: number): number[][] =>
      build(small, { seed })
        .getWeights()
        .map((weight) => [...weight.dataSync()]);
    expect(values(5)).toEqual(values(5));
    expect(values(5)).not.toEqual(values(6));
  });

  it.each<[BuildOptions, string]>([
    [{ classes: 0 }, "small: expected classes to be a whole number from 1, got 0"],
    [{ classes: 1.5 }, "small: expected classes to be a whole number from 1, got 1.5"],
    [{ input: [8, 3, 1] }, "small: expected an input of at least 4x4 pixels, got 8x3"],
    [
      { input: [8, 8] as never },
      "small: expected input as [height, width, channels], got [8,8]; a height or width may be null.",
    ],
    [
      { size: 3 } as never,
      'small: expected the options classes, input, includeTop, pooling, aux, dropout, dropPath, dropBlock, logits, seed, got "size".',
    ],
    [
      { pooling: "mean" as never, includeTop: false },
      'small: expected pooling to be "avg", "max" or "none", got "mean".',
    ],
    [{ pooling: "avg" }, 'small: pooling "avg" is for a network without its top; add includeTop: false'],
    [
      { aux: true, includeTop: false },
      "small: expected no auxiliary classifiers, since they need the top; leave aux out",
    ],
    [{ dropout: 1 }, "small: expected dropout from 0 to below 1, got 1"],
    [
      { includeTop: false, classes: 5, dropout: 0.2 },
      "small: classes, dropout are for the top, which includeTop: false leaves out; leave it out too, or add a head of your own",
    ],
    [{ seed: 0.5 }, "small: expected seed to be a whole number, got 0.5"],
  ])("refuses %j", (options, message) => {
    expect(() => build(small, options)).toThrow(message);
  });

  it("refuses a rate of dropout that the head would ignore", () => {
    const bare = { ...small, head: ({ classes }: HeadOptions) => chain({ flatten: flatten(), fc: dense(classes) }) };
    expect(() => build(bare, { dropout: 0.2 })).toThrow(
      "small: expected no dropout, since the head of this network has none; leave dropout out.",
    );
    expect(shapes(build(bare, { dropout: 0 }))).toEqual([[10]]);
    expect(build(small, { dropout: 0.2 }).getLayer("dropout").getConfig()["rate"]).toBe(0.2);
  });

  it("drops auxiliary classifiers for inference, sharing weights", () => {
    const model = build(small, { aux: true });
    const main = withoutAux(model);
    expect(shapes(main)).toEqual([[10]]);
    expect(main.getLayer("fc").weights[0]).toBe(model.getLayer("fc").weights[0]);
  });
});

describe("summary", () => {
  it("counts weights, multiply-adds and memory", () => {
    const { params, macs, memory, layers } = summarize(build(small));
    expect(params).toEqual({ total: 202, trainable: 202, nonTrainable: 0 });
    expect(macs).toBe(8 * 8 * 9 * 2 + 2 * 4 * 4 * 2 * 2 + 16 * 10);
    expect(memory.weights).toBe(4 * 202);
    expect(layers.find(({ name }) => name === "mix")).toMatchObject({
      type: "Concatenate",
      outputShape: [null, 4, 4, 4],
      connectedTo: ["mix.a", "mix.b"],
      receptiveField: [4, 4],
    });
  });

  it("is written as Keras does", () => {
    expect(summaryText(build(small))).toMatchInlineSnapshot(`
      "Model: "small"
      _______________________________________________________________________
      Layer (type)              Output Shape     Param #  Connected to
      =======================================================================
      input_layer (InputLayer)  (None, 8, 8, 1)  0
      stem (Conv2D)             (None, 8, 8, 2)  20       input_layer[0][0]
      pool1 (MaxPooling2D)      (None, 4, 4, 2)  0        stem[0][0]
      mix.a (Conv2D)            (None, 4, 4, 2)  6        pool1[0][0]
      mix.b (Conv2D)            (None, 4, 4, 2)  6        pool1[0][0]
      mix (Concatenate)         (None, 4, 4, 4)  0        mix.a[0][0]
                                                          mix.b[0][0]
      pool2 (MaxPooling2D)      (None, 2, 2, 4)  0        mix[0][0]
      flatten (Flatten)         (None, 16)       0        pool2[0][0]
      dropout (Dropout)         (None, 16)       0        flatten[0][0]
      fc (Dense)                (None, 10)       170      dropout[0][0]
      =======================================================================
      Total params: 202
      Trainable params: 202
      Non-trainable params: 0
      _______________________________________________________________________
      Multiply-adds: 1,440
      Memory (float32): weights 0.00 MiB, activations of one image 0.00 MiB
      Receptive field: 6 x 6 pixels at pool2"
    `);
  });
});

describe("features", () => {
  const model = build(small);

  it("come by stride and by name, from shared weights", () => {
    const maps = features(model, [1, 2, 4, "mix.a"]);
    expect(shapes(maps)).toEqual([
      [8, 8, 2],
      [4, 4, 4],
      [2, 2, 4],
      [4, 4, 2],
    ]);
    expect(maps.getLayer("stem").weights[0]).toBe(model.getLayer("stem").weights[0]);
  });

  it.each<[number | string, string]>([
    [32, "small: expected a stride of 1, 2, 4, got 32"],
    ["mux", 'small: expected the name of a layer, got "mux"; there are'],
  ])("refuse %s", (at, message) => {
    expect(() => features(model, [at])).toThrow(message);
  });
});

describe("fine-tuning", () => {
  it("replaces the head and keeps all weights before it", () => {
    const model = build(small);
    const tuned = replaceHead(model, 3);
    expect(shapes(tuned)).toEqual([[3]]);
    expect(tuned.getLayer("stem").weights[0]).toBe(model.getLayer("stem").weights[0]);
    expect(tuned.getLayer("fc_3").weights.map(({ shape }) => shape)).toEqual([[16, 3], [3]]);
    const x = tf.randomNormal([2, 8, 8, 1]);
    const sums = tf.sum(tuned.predict(x) as tf.Tensor, 1).dataSync();
    expect([...sums].map((sum) => sum.toFixed(5))).toEqual(["1.00000", "1.00000"]);
  });

  it.each<[string, () => tfl.LayersModel, number, string, string]>([
    ["one sigmoid", () => build({ ...small, classes: 1 }), 3, "fc_3", "softmax"],
    ["a softmax", () => build(small), 1, "fc_1", "sigmoid"],
    ["a classifier beside an auxiliary one", () => build(small, { aux: true }), 3, "fc_3", "softmax"],
    ["a convolution, a list made of its map, and a softmax", () => ended("convolution"), 3, "act", "softmax"],
    ["a convolution, a pool and a Softmax layer", () => ended("pool"), 1, "act", "sigmoid"],
    ["feature maps", () => build(small, { includeTop: false }), 3, "head", "softmax"],
    ["pooled features", () => build(small, { includeTop: false, pooling: "avg" }), 1, "head", "sigmoid"],
  ])("gives a model that ends in %s a fitting one, the same for a seed", (_, make, classes, last, end) => {
    const model = make();
    const [a, b, c] = [1, 1, 2].map((seed) => replaceHead(model, classes, { seed })) as [
      tfl.LayersModel,
      tfl.LayersModel,
      tfl.LayersModel,
    ];
    expect(shapes(a)).toEqual([[classes]]);
    expect(a.outputs[0]!.sourceLayer.name).toBe(last);
    expect(a.outputs[0]!.sourceLayer.getConfig()["activation"] ?? "softmax").toBe(end);
    expect(a.weights[0]!.read()).toBe(model.weights[0]!.read());
    const x = tf.randomUniform([2, 8, 8, 1], 0, 1, "float32", 5);
    const [first, again, other] = [a, b, c].map((each) => (each.predict(x) as tf.Tensor).dataSync());
    expect(first).toEqual(again);
    expect(first).not.toEqual(other);
  });

  it("freezes up to a layer, and thaws", () => {
    const model = freeze(build(small), "mix");
    expect(model.trainableWeights.map(({ originalName }) => originalName)).toEqual(["fc/kernel", "fc/bias"]);
    expect(freeze(model).trainableWeights).toHaveLength(8);
  });

  it("puts a head behind a model inside that gives features, and refuses one that classifies", () => {
    const wrapped = (inner: tfl.LayersModel): tfl.LayersModel => {
      const image = tfl.input({ shape: [8, 8, 1] });
      return tfl.model({ inputs: image, outputs: inner.apply(image) as tfl.SymbolicTensor, name: "outer" });
    };
    expect(shapes(replaceHead(wrapped(build(small, { includeTop: false })), 3))).toEqual([[3]]);
    expect(() => replaceHead(wrapped(build(small)), 3)).toThrow(
      "outer: expected a classifier of its own, got the model small, which has one inside; replace the head there.",
    );
    const list = tfl.input({ shape: [5, 2] });
    const outputs = tfl.layers.activation({ activation: "relu" }).apply(list) as tfl.SymbolicTensor;
    expect(() => replaceHead(tfl.model({ inputs: list, outputs, name: "rows" }), 3)).toThrow(
      "rows: expected classes, features [n, c] or maps [n, h, w, c] at the end, got [null,5,2].",
    );
  });

  it.each<[() => unknown, string]>([
    [() => replaceHead(build(small), 0), "small: expected classes to be a whole number from 1, got 0"],
    [() => freeze(build(small), "stam"), 'small: expected the name of a layer, got "stam"'],
  ])("refuses bad input %#", (act, message) => {
    expect(act).toThrow(message);
  });
});
