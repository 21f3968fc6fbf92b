import {
  AdaptiveAveragePooling2D,
  BatchNormalization,
  Conv2D,
  CustomScaleLayer,
  DropBlock2D,
  GlobalAveragePooling2D,
  GroupNormalization,
  LocalResponseNormalization,
  Normalization,
  PadChannels,
  ShuffleChannels,
  SliceChannels,
  PaddedPooling2D,
} from "@convkit/core";
import { RandomCrop, RandomFlip } from "@convkit/augment";
import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStockTfjs } from "../src/convert/stock-tfjs.ts";
import { stockForms } from "../src/formats/tfjs/stock/table.ts";
import { stockActivations } from "../src/formats/tfjs/stock/activations.ts";
import { WeightsError, loadModel, registerImportLayers, saveModel } from "../src/index.ts";
import { functionName, registerFunctions } from "../src/layers/activations.ts";
import { ownClass } from "../src/layers/register.ts";

type Layer = tfl.layers.Layer;

const own = (className: string, args: object): Layer => new (ownClass(className)!)(args as never);
const map = [8, 9, 4] as const;
const sequence = [10, 4] as const;
const sides = (top: number, bottom: number, left: number, right: number): [[number, number], [number, number]] => [
  [top, bottom],
  [left, right],
];
const pool = (name: string, mode: "max" | "average", args: object): Layer =>
  new PaddedPooling2D({ name, mode, poolSize: [3, 3], strides: [2, 2], padding: sides(1, 1, 1, 1), ...args });

/** A layer for each class and for each way in which it is replaced. All take a map, or with `of` a sequence. */
const cases: readonly { readonly layer: () => Layer; readonly of?: "sequence"; readonly two?: boolean }[] = [
  { layer: () => pool("max", "max", {}) },
  { layer: () => pool("max_ceil", "max", { padding: sides(0, 0, 0, 0), ceilMode: true }) },
  { layer: () => pool("max_stride1", "max", { strides: [1, 1] }) },
  { layer: () => pool("max_even", "max", { poolSize: [2, 2], padding: sides(0, 0, 0, 0), ceilMode: true }) },
  { layer: () => pool("mean_counting", "average", {}) },
  { layer: () => pool("mean_inside", "average", { countIncludePad: false }) },
  { layer: () => pool("mean_ceil", "average", { padding: sides(0, 0, 0, 0), ceilMode: true }) },
  { layer: () => new AdaptiveAveragePooling2D({ name: "adaptive_odd", outputSize: [3, 5] }) },
  { layer: () => new AdaptiveAveragePooling2D({ name: "adaptive_even", outputSize: [4, 3] }) },
  { layer: () => new AdaptiveAveragePooling2D({ name: "adaptive_same", outputSize: [8, 9] }) },
  { layer: () => new GlobalAveragePooling2D({ name: "mean_kept", dataFormat: "channelsLast", keepdims: true }) },
  { layer: () => own("GlobalMaxPooling2DKeepdims", { name: "max_kept" }) },
  { layer: () => own("GlobalAveragePooling1D", { name: "mean_1d", keepdims: true }), of: "sequence" },
  {
    layer: () =>
      new Conv2D({ name: "groups", filters: 6, kernelSize: 3, groups: 2, padding: "same", strides: 2 } as never),
  },
  {
    layer: () =>
      new Conv2D({ name: "groups_of_one", filters: 8, kernelSize: [3, 2], groups: 4, activation: "relu" } as never),
  },
  {
    layer: () => new Conv2D({ name: "groups_dilated", filters: 8, kernelSize: 3, groups: 4, dilationRate: 2 } as never),
  },
  { layer: () => own("DilatedDepthwiseConv2D", { name: "depth_dilated", kernelSize: [3, 2], dilationRate: [2, 3] }) },
  {
    layer: () => own("GroupedConv1D", { name: "groups_1d", filters: 6, kernelSize: 3, groups: 2, padding: "same" }),
    of: "sequence",
  },
  {
    layer: () =>
      own("GroupedConv1D", {
        name: "causal",
        filters: 3,
        kernelSize: 3,
        padding: "causal",
        dilationRate: 2,
        activation: "tanh",
      }),
    of: "sequence",
  },
  {
    layer: () =>
      own("DepthwiseConv1D", { name: "depth_1d", kernelSize: 3, strides: 2, padding: "same", depthMultiplier: 2 }),
    of: "sequence",
  },
  {
    layer: () => own("DepthwiseConv1D", { name: "depth_1d_dilated", kernelSize: 3, padding: "valid", dilationRate: 2 }),
    of: "sequence",
  },
  {
    layer: () => own("SeparableConv1D", { name: "separable_1d", filters: 5, kernelSize: 3, padding: "valid" }),
    of: "sequence",
  },
  {
    layer: () =>
      own("SizedConv2DTranspose", {
        name: "transpose",
        filters: 2,
        kernelSize: 3,
        strides: 2,
        padding: "same",
        outputPadding: [1, 0],
      }),
  },
  {
    layer: () =>
      own("SizedConv2DTranspose", {
        name: "transpose_valid",
        filters: 2,
        kernelSize: 2,
        strides: 2,
        padding: "valid",
        outputPadding: [0, 0],
      }),
  },
  {
    layer: () =>
      own("SizedConv2DTranspose", {
        name: "transpose_dilated",
        filters: 2,
        kernelSize: [2, 3],
        strides: 2,
        padding: "same",
        dilationRate: [3, 2],
      }),
  },
  { layer: () => new Normalization({ name: "normalization" }) },
  { layer: () => new Normalization({ name: "normalization_1d" }), of: "sequence" },
  { layer: () => own("AxesNormalization", { name: "one_mean", axis: [] }) },
  { layer: () => own("AxesNormalization", { name: "inverted", axis: [-1], invert: true }) },
  { layer: () => new BatchNormalization({ name: "norm_rows", axis: 1 }) },
  { layer: () => new GroupNormalization({ name: "groups_norm", groups: 2 }) },
  { layer: () => new GroupNormalization({ name: "groups_norm_1d", groups: 4, center: false }), of: "sequence" },
  { layer: () => own("LayerScale", { name: "layer_scale", initValues: 0.1, projectionDim: 4 }) },
  { layer: () => own("RMSNormalization", { name: "root_mean_square", axis: -1, epsilon: 1e-3 }) },
  { layer: () => new PadChannels({ name: "channels", before: 1, after: 2 }) },
  { layer: () => new SliceChannels({ name: "some_channels", start: 1, count: 2 }) },
  { layer: () => new ShuffleChannels({ name: "shuffled", groups: 2 }) },
  { layer: () => new CustomScaleLayer({ name: "scaled_sum", scale: 0.3 }), two: true },
  { layer: () => own("Subtract", { name: "difference" }), two: true },
  { layer: () => own("Stacked", { name: "stacked", axis: 2 }), two: true },
  { layer: () => own("ScaledELU", { name: "elu", alpha: 0.4 }) },
  { layer: () => own("BentReLU", { name: "bent", maxValue: 0.7, negativeSlope: 0.1, threshold: 0 }) },
  { layer: () => own("Power", { name: "power", exponent: 3 }) },
  { layer: () => own("Clipped", { name: "clipped", low: -0.4, high: 0.6 }) },
  { layer: () => own("Clipped", { name: "clipped_above", low: null, high: 0.6 }) },
  { layer: () => own("SoftmaxOver", { name: "softmax_rows", axis: 1 }) },
  { layer: () => new DropBlock2D({ name: "drop_block", rate: 0.5, size: 3, scale: 1 }) },
  { layer: () => own("Identity", { name: "identity" }) },
  { layer: () => own("ActivityRegularization", { name: "activity", l1: 0.1 }) },
  { layer: () => new RandomFlip({ name: "flip" }) },
  { layer: () => own("SpatialDropout2D", { name: "dropout_2d", rate: 0.5 }) },
  { layer: () => own("ResizedTo", { name: "larger", height: 13, width: 10, interpolation: "bilinear" }) },
  { layer: () => own("ResizedTo", { name: "nearest", height: 5, width: 20, interpolation: "nearest" }) },
  { layer: () => own("ScaledUp2D", { name: "up", size: [2, 3], interpolation: "bilinear" }) },
  { layer: () => own("ScaledUp2D", { name: "up_nearest", size: [2, 3], interpolation: "nearest" }) },
  { layer: () => own("CroppedCentre", { name: "middle", height: 5, width: 5 }) },
  {
    layer: () => {
      const whole = { start: null, stop: null, step: null };
      return own("Sliced", {
        name: "rows",
        pieces: [whole, { start: 1, stop: -2, step: null }, { start: null, stop: 5, step: 1 }, whole],
      });
    },
  },
  ...Object.keys(stockActivations).map((activation) => ({
    layer: () =>
      tfl.layers.conv2d({ name: `with_${activation}`, filters: 3, kernelSize: 1, activation: activation as "relu" }),
  })),
];

/** What stock tfjs has, although an earlier list said that it has not. */
function plainModel(): tfl.LayersModel {
  const x = tfl.input({ shape: [...map], name: "map" });
  const s = tfl.input({ shape: [...sequence], name: "sequence" });
  const inferred = own("Reshape", { name: "inferred", targetShape: [-1, 4] }).apply(x) as tfl.SymbolicTensor;
  return tfl.model({
    inputs: [x, s],
    outputs: [
      tfl.layers.dense({ name: "after_inferred", units: 2 }).apply(inferred),
      own("SpatialDropout1D", { name: "dropout_1d", rate: 0.5 }).apply(s),
      own("GlobalAveragePooling1D", { name: "mean" }).apply(s),
    ] as tfl.SymbolicTensor[],
  });
}

/** One model with an output for each case. Its weights are numbers of which none is neutral. */
function wholeModel(): tfl.LayersModel {
  const x = tfl.input({ shape: [...map], name: "map" });
  const s = tfl.input({ shape: [...sequence], name: "sequence" });
  // tfjs frees what lies between layers, so the layers take outputs of others, and not the model's inputs.
  const conv = (name: string): tfl.SymbolicTensor =>
    tfl.layers.conv2d({ name, filters: 4, kernelSize: 1 }).apply(x) as tfl.SymbolicTensor;
  const [first, second] = [conv("first"), conv("second")];
  const steps = tfl.layers.dense({ name: "steps", units: 4 }).apply(s) as tfl.SymbolicTensor;
  const outputs = cases.map(({ layer, of, two }) =>
    layer().apply(two === true ? [first, second] : of === "sequence" ? steps : first),
  );
  const model = tfl.model({ inputs: [x, s], outputs: outputs as tfl.SymbolicTensor[] });
  for (const [index, weight] of model.weights.entries()) {
    if (weight.dtype === "int32") continue;
    const isVariance = weight.originalName.endsWith("variance");
    weight.write(
      tf.randomUniform(weight.shape as number[], isVariance ? 0.5 : -1, isVariance ? 2 : 1, "float32", index + 1),
    );
  }
  return model;
}

function worst(a: tf.Tensor, b: tf.Tensor): number {
  expect(b.shape).toEqual(a.shape);
  const largest = Math.max(1, tf.max(tf.abs(a)).dataSync()[0]!);
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]! / largest;
}

describe("layers of our own as layers of stock tfjs", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-stock-"));
  const at = (name: string): string => join(folder, name);
  beforeAll(async () => {
    await useEngine();
    registerImportLayers();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function sameInStock(model: tfl.LayersModel, path: string): Promise<Record<string, number>> {
    const far: Record<string, number> = {};
    for (const batch of [1, 3]) {
      const inputs = model.inputs.map(({ shape }, i) =>
        tf.randomNormal([batch, ...(shape.slice(1) as number[])], 0, 1, "float32", i + 5),
      );
      const expected = [model.predict(inputs)].flat();
      const found = await openStockTfjs(path, "tfjs").run(inputs);
      for (const [index, y] of expected.entries()) {
        const difference = worst(y, found[index]!);
        if (!(difference < 1e-5)) far[model.outputNames[index]!] = difference;
      }
      tf.dispose([inputs, expected, found]);
    }
    return far;
  }

  it("every class of the table gives the same numbers in a process that knows stock tfjs only", async () => {
    const model = wholeModel();
    const report = await saveModel(model, at("whole"), { format: "tfjs", stock: true });
    expect(report.needs).toBeUndefined();
    expect(await sameInStock(model, at("whole"))).toEqual({});
    // The folder loads here, too.
    const again = await loadModel(at("whole"));
    expect(again.outputs).toHaveLength(cases.length);
    again.dispose();
    const tried = new Set(cases.map(({ layer }) => layer().getClassName()));
    expect(Object.keys(stockForms).filter((name) => !tried.has(name))).toEqual([
      "Bidirectional",
      "Operation",
      "SpatialDropout3D",
    ]);
    model.dispose();
  });

  it("operations and a random crop become stock layers with the same numbers", async () => {
    const x = tfl.input({ shape: [6, 8, 4] });
    const line = tfl.input({ shape: [5, 4] });
    let count = 0;
    const op = (name: string, values: object, ...inputs: tfl.SymbolicTensor[]): tfl.SymbolicTensor => {
      const layer = own("Operation", { name: `op${count++}_${name}`, op: name, values });
      return layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as tfl.SymbolicTensor;
    };
    const [a, b] = [{ slot: 0 }, { slot: 1 }];
    const list = { constant: [[[[1, -2, 3, 0.5]]]], dtype: "float32" };
    const all = { start: null, stop: null, step: null };
    const y = op("relu", { x: a }, x);
    const outputs = [
      ...["add", "subtract", "multiply", "maximum", "minimum"].flatMap((name) => [
        op(name, { x1: a, x2: b }, x, y),
        op(name, { x1: a, x2: 0.5 }, x),
        op(name, { x1: 0.5, x2: a }, x),
      ]),
      ...["add", "subtract", "multiply", "divide"].map((name) => op(name, { x1: a, x2: list }, x)),
      op("subtract", { x1: list, x2: a }, x),
      op("truedivide", { x1: a, x2: 4 }, x),
      op("add", { x1: a, x2: a }, x),
      ...["negative", "square", "identity", "relu6", "sigmoid", "tanh", "softplus", "softsign", "selu", "silu"].map(
        (name) => op(name, { x: a }, x),
      ),
      op("mish", { x: a }, x),
      op("leakyrelu", { x: a, negative_slope: 0.3 }, x),
      op("power", { x1: a, x2: 3 }, x),
      op("clip", { x: a, x_min: -0.5, x_max: 0.5 }, x),
      op("clip", { x: a, x_min: 0, x_max: 0.5 }, x),
      op("clip", { x: a, x_min: 0.2 }, x),
      op("concatenate", { xs: [a, b, a], axis: -1 }, x, y),
      op("reshape", { x: a, newshape: [-1, 48, 4] }, x),
      op("expanddims", { x: a, axis: -1 }, x),
      op("transpose", { x: a, axes: [0, 3, 1, 2] }, x),
      op("matmul", { x1: a, x2: b }, line, op("transpose", { x: a, axes: [0, 2, 1] }, line)),
      ...["mean", "max"].flatMap((name) => [
        op(name, { x: a, axis: [1, 2] }, x),
        op(name, { x: a, axis: [-3, -2], keepdims: true }, x),
        op(name, { x: a, axis: 1 }, line),
      ]),
      op("getitem", { x: a, key: [all, { start: 1, stop: -1, step: null }] }, x),
      op(
        "pad",
        {
          x: a,
          pad_width: [
            [0, 0],
            [1, 2],
            [0, 3],
            [0, 0],
          ],
        },
        x,
      ),
      ...[
        [4, 4],
        [6, 8],
        [3, 8],
      ].map(([height, width]) => new RandomCrop({ height: height!, width: width! }).apply(x) as tfl.SymbolicTensor),
    ];
    const model = tfl.model({ inputs: [x, line], outputs });
    const report = await saveModel(model, at("operations"), { format: "tfjs", stock: true });
    expect(report.needs).toBeUndefined();
    expect(await sameInStock(model, at("operations"))).toEqual({});
    model.dispose();
    const sine = tfl.model({ inputs: x, outputs: op("sin", { x: a }, x) });
    await expect(saveModel(sine, at("sine"), { format: "tfjs", stock: true })).rejects.toThrow(
      /_sin" \(Operation\): no stock layers compute the operation sin/,
    );
    sine.dispose();
  });

  it("a class and an activation of the user's are named as such", async () => {
    class Thrice extends tfl.layers.Layer {
      static className = "Thrice";
    }
    const file = at("own-names");
    const base = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [3] })] });
    base.add(new Thrice({}));
    expect((await saveModel(base, file, { format: "tfjs" })).needs).toEqual(["your class Thrice"]);
    base.dispose();
    registerFunctions({ Wave: (x) => tf.sin(x) });
    const wave = tfl.sequential({
      layers: [tfl.layers.dense({ units: 2, inputShape: [3], activation: functionName("Wave") as "relu" })],
    });
    expect((await saveModel(wave, file, { format: "tfjs" })).needs).toEqual(["your activation Wave"]);
    wave.dispose();
  });

  it("the report of an ordinary save names each class and option, and nothing that stock tfjs has", async () => {
    const whole = wholeModel();
    const { needs } = await saveModel(whole, at("own"), { format: "tfjs" });
    const wanted = cases.map(({ layer }) => {
      const made = layer();
      const { activation } = made.getConfig() as { activation?: string };
      const className = made.getClassName();
      if (activation !== undefined && activation in stockActivations) return `the activation ${activation}`;
      const option = { Conv2D: "groups", BatchNormalization: "axis 1" }[className];
      const kept = ["GlobalAveragePooling1D", "GlobalAveragePooling2D"].includes(className) ? "keepdims" : undefined;
      const lacking = option ?? kept;
      return lacking === undefined ? className : `${className} with ${lacking}`;
    });
    expect(needs).toEqual([...new Set(wanted)].toSorted());
    whole.dispose();
    const plain = plainModel();
    const report = await saveModel(plain, at("plain"), { format: "tfjs" });
    expect(report.needs).toBeUndefined();
    expect(await sameInStock(plain, at("plain"))).toEqual({});
    plain.dispose();
  });

  it("layers that are called twice, nested and sequential models, and two layers of one name stay what they are", async () => {
    const shared = new PaddedPooling2D({
      name: "shared",
      mode: "max",
      poolSize: [3, 3],
      strides: [2, 2],
      padding: sides(1, 1, 1, 1),
    });
    const conv = (): Layer =>
      new Conv2D({
        name: "conv",
        filters: 4,
        kernelSize: 3,
        groups: 2,
        padding: "same",
        activation: "leakyRelu",
      } as never);
    const nested = tfl.sequential({
      name: "nested",
      layers: [own("ScaledELU", { name: "elu", alpha: 0.5, inputShape: [4, 5, 4] }), conv()],
    });
    const x = tfl.input({ shape: [...map], name: "map" });
    const y = conv().apply(x) as tfl.SymbolicTensor;
    const [first, second] = [shared.apply(x), shared.apply(y)] as [tfl.SymbolicTensor, tfl.SymbolicTensor];
    const both = own("Subtract", { name: "both" }).apply([first, second]) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: x, outputs: [nested.apply(both), second] as tfl.SymbolicTensor[] });
    await saveModel(model, at("nested"), { format: "tfjs", stock: true });
    expect(await sameInStock(model, at("nested"))).toEqual({});
    const sequential = tfl.sequential({
      layers: [new PadChannels({ name: "pad", before: 0, after: 4, inputShape: [...map] } as never), conv()],
    });
    await saveModel(sequential, at("sequential"), { format: "tfjs", stock: true });
    expect(await sameInStock(sequential, at("sequential"))).toEqual({});
  });

  it("what no stock layers compute is named, and nothing is written", async () => {
    const lrn = new LocalResponseNormalization({ name: "lrn", radius: 2, bias: 1, alpha: 1e-4, beta: 0.75 });
    const far = new PaddedPooling2D({
      name: "far",
      mode: "max",
      poolSize: [2, 2],
      strides: [2, 2],
      padding: sides(1, 1, 1, 1),
    });
    const x = tfl.input({ shape: [...map] });
    const model = tfl.model({ inputs: x, outputs: far.apply(lrn.apply(x)) as tfl.SymbolicTensor });
    const saving = saveModel(model, at("refused"), { format: "tfjs", stock: true });
    await expect(saving).rejects.toThrow(WeightsError);
    await expect(saving).rejects.toThrow(
      /"lrn" \(LocalResponseNormalization\): no stock layers compute it; "far" \(PaddedPooling2D\): its padding.*tfjs-graph/,
    );
    expect(existsSync(at("refused"))).toBe(false);
    await expect(saveModel(model, at("other.keras"), { stock: true })).rejects.toThrow(/stock layers are for tfjs/);
  });

  it("a plain model is the same file with and without stock layers", async () => {
    const model = tfl.model(
      ((x) => ({
        inputs: x,
        outputs: tfl.layers.conv2d({ filters: 2, kernelSize: 3 }).apply(x) as tfl.SymbolicTensor,
      }))(tfl.input({ shape: [...map] })),
    );
    await saveModel(model, at("a"), { format: "tfjs" });
    await saveModel(model, at("b"), { format: "tfjs", stock: true });
    expect(readFileSync(join(at("b"), "model.json"), "utf8")).toBe(readFileSync(join(at("a"), "model.json"), "utf8"));
  });
});
