import {
  add,
  avgPool,
  chain,
  conv,
  dense,
  features,
  flatten,
  globalAvgPool,
  identity,
  layer,
  macs,
  maxPool,
  receptiveFields,
  relu,
  setModelMetadata,
  summarize,
  summaryText,
  zeroPad,
} from "@convkit/core";
import type { LayerWindow } from "@convkit/core";
import "@tensorflow/tfjs-backend-cpu";
import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";

const valid = { padding: "valid" } as const;
const same = { padding: "same" } as const;

function modelOf(block: ReturnType<typeof chain>, shape: (number | null)[]): tfl.LayersModel {
  const image = tfl.input({ shape, name: "image" });
  return tfl.model({ inputs: image, outputs: block(image, "") });
}

/** A layer that the library has never met: a 3x5 convolution with strides 2x1. */
class Unknown extends tfl.layers.Layer {
  static className = "Unknown";
  override build(shape: tfl.Shape | tfl.Shape[]): void {
    this.addWeight("kernel", [3, 5, (shape as number[]).at(-1) as number, 4], "float32", tfl.initializers.zeros());
    this.built = true;
  }
  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [n, h, w] = shape as number[];
    return [n as number, Math.floor(((h as number) - 3) / 2) + 1, (w as number) - 4, 4];
  }
}

/** The same layer, which tells its window and multiply-adds. */
class Told extends Unknown {
  static override className = "Told";
  window(): LayerWindow {
    return { extent: [3, 5], stride: [2, 1] };
  }
  macs(input: readonly (number | null)[], output: readonly (number | null)[]): number {
    return (output[1] as number) * (output[2] as number) * 3 * 5 * (input[3] as number) * 4;
  }
}

/** Rows and columns of the image that the middle of a model's map depends on, by the gradient of a positive network. */
function reach(model: tfl.LayersModel): [number, number] {
  model.setWeights(model.getWeights().map((weight) => tf.ones(weight.shape)));
  const [, height, width, channels] = (model.inputs[0] as tfl.SymbolicTensor).shape as [null, number, number, number];
  const slope = tf.grad((x) => {
    const y = model.apply(x) as tf.Tensor4D;
    const at = [0, Math.floor(y.shape[1] / 2), Math.floor(y.shape[2] / 2), 0] as [number, number, number, number];
    return tf.slice(y, at, [1, 1, 1, 1]);
  })(tf.ones([1, height, width, channels]));
  const along = (axes: number[]): number => {
    const sums = [...tf.sum(tf.abs(slope), axes).dataSync()];
    return sums.findLastIndex((sum) => sum > 0) - sums.findIndex((sum) => sum > 0) + 1;
  };
  return [along([0, 2, 3]), along([0, 1, 3])];
}

describe("a Sequential model", () => {
  it("without layers is refused in one sentence", () => {
    const model = tfl.sequential({ name: "s" });
    const message = "s: expected a model with an input, got a Sequential model without layers; add them first.";
    for (const read of [summarize, summaryText, macs, receptiveFields]) {
      expect(() => read(model)).toThrow(new OptionError(message));
    }
  });

  it("has rows, although tfjs builds it only at the first prediction", () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ filters: 4, kernelSize: [3, 5], inputShape: [9, 9, 3], name: "conv" }),
        tfl.layers.flatten({ name: "flat" }),
        tfl.layers.dense({ units: 2, name: "fc" }),
      ],
    });
    const { layers, macs: sum, params } = summarize(model);
    expect(layers.map(({ name, outputShape, params }) => [name, outputShape, params])).toEqual([
      ["conv", [null, 7, 5, 4], 4 * (3 * 5 * 3 + 1)],
      ["flat", [null, 140], 0],
      ["fc", [null, 2], 282],
    ]);
    expect(sum).toBe(7 * 5 * 4 * 45 + 280);
    expect(params.total).toBe(184 + 282);
  });
});

describe("a layer of your own", () => {
  const block = (Own: typeof Unknown) =>
    chain({ first: conv(2, 3, valid), own: layer((name) => new Own({ name })), last: conv(2, 2, valid) });

  it("is named where it cannot be measured", () => {
    const model = modelOf(block(Unknown), [11, 14, 3]);
    expect(summarize(model).without).toEqual({ macs: ["own"], receptiveField: ["own"] });
    expect(receptiveFields(model).get("last")).toEqual({ size: [4, 4], stride: [1, 1], without: ["own"] });
    expect(receptiveFields(model).get("first")).toEqual({ size: [3, 3], stride: [1, 1] });
    const text = summaryText(model);
    expect(text).toContain(", without own\n");
    expect(text).toMatch(/Receptive field: 4 x 4 pixels at last, without own$/);
    expect(() => macs(model)).toThrow(
      new OptionError(`${model.name}: expected layers that can be counted, got own; give them a method macs.`),
    );
  });

  it("tells its window and its multiply-adds", () => {
    const model = modelOf(block(Told as typeof Unknown), [11, 14, 3]);
    // 9x12 after the first, 4x8 after the own layer, 3x7 after the last.
    expect(macs(model)).toBe(9 * 12 * 27 * 2 + 4 * 8 * 15 * 2 * 4 + 3 * 7 * 4 * 4 * 2);
    expect(receptiveFields(model).get("last")).toEqual({ size: [3 + 2 + 2, 3 + 4 + 1], stride: [2, 1] });
    expect(summarize(model).without).toEqual({ macs: [], receptiveField: [] });
  });
});

describe("windows that are not square", () => {
  it.each<[string, ReturnType<typeof chain>]>([
    ["1xN and Nx1", chain({ a: conv(1, [1, 7], valid), b: conv(1, [5, 1], valid) })],
    [
      "strides 2x1 and 1x3",
      chain({
        a: conv(1, 3, { ...valid, stride: [2, 1] }),
        b: avgPool([2, 3], [1, 3], valid),
        c: conv(1, [3, 2], valid),
      }),
    ],
    ["dilation 1x3", chain({ a: conv(1, [2, 3], { ...valid, dilation: [1, 3] }), b: conv(1, 2, valid) })],
    [
      "transposed convolution",
      chain({
        a: conv(1, 3, { ...valid, stride: 2 }),
        up: layer((name) => tfl.layers.conv2dTranspose({ name, filters: 1, kernelSize: 2, strides: 2 })),
        c: conv(1, 3, valid),
      }),
    ],
    [
      "upsampling",
      chain({
        a: conv(1, 3, { ...valid, stride: 2 }),
        up: layer((name) => tfl.layers.upSampling2d({ name, size: [2, 2] })),
        c: conv(1, 1, valid),
      }),
    ],
  ])("%s see what their gradient reaches", (_, block) => {
    const model = modelOf(block, [31, 29, 1]);
    const last = [...receptiveFields(model).values()].at(-1);
    const [height, width] = reach(model);
    expect(last?.size.map(Math.ceil)).toEqual([height, width]);
  });
});

describe("models inside a model", () => {
  const inner = (shape: (number | null)[]): tfl.LayersModel => {
    const image = tfl.input({ shape });
    const block = chain({ a: conv(4, 3, { ...same, stride: 2 }), b: conv(5, [1, 3], same) });
    return tfl.model({ inputs: image, outputs: block(image, "in"), name: "inner" });
  };

  it.each([
    ["of the same size", [8, 12, 3]],
    ["of any size", [null, null, 3]],
  ])("%s count their layers", (_, shape) => {
    const image = tfl.input({ shape: [8, 12, 3] });
    const nested = inner(shape);
    const pooled = tfl.layers.globalAveragePooling2d({ name: "pool" }).apply(nested.apply(image)) as tfl.SymbolicTensor;
    const model = tfl.model({
      inputs: image,
      outputs: tfl.layers.dense({ units: 7, name: "fc" }).apply(pooled) as tfl.SymbolicTensor,
    });
    const wanted = 4 * 6 * 27 * 4 + 4 * 6 * 3 * 4 * 5;
    const { layers, macs: sum, memory } = summarize(model);
    expect(layers.map(({ name, macs }) => [name, macs]).slice(1)).toEqual([
      ["inner", wanted],
      ["pool", 0],
      ["fc", 35],
    ]);
    expect(sum).toBe(wanted + 35);
    // Image, the inner model's image and two maps, pool, fc.
    expect(memory.activations).toBe(4 * (288 + 288 + 96 + 120 + 5 + 7));
    expect(receptiveFields(model).get("inner")).toEqual({ size: [3, 3 + 2 * 2], stride: [2, 2] });
    expect(receptiveFields(model).get("pool")?.size).toEqual([3 + 3 * 2, 7 + 5 * 2]);
  });

  it("that a Sequential model begins with count, too", () => {
    const model = tfl.sequential({
      layers: [
        inner([8, 12, 3]),
        tfl.layers.globalAveragePooling2d({ name: "pool" }),
        tfl.layers.dense({ units: 7, name: "fc" }),
      ],
    });
    const wanted = 4 * 6 * 27 * 4 + 4 * 6 * 3 * 4 * 5;
    const { layers, macs: sum } = summarize(model);
    expect(layers.map(({ name, macs }) => [name, macs])).toEqual([
      ["inner", wanted],
      ["pool", 0],
      ["fc", 35],
    ]);
    expect(sum).toBe(wanted + 35);
    expect(receptiveFields(model).get("pool")?.size).toEqual([3 + 3 * 2, 7 + 5 * 2]);
  });

  it("that are shared count at each use, their weights once", () => {
    const [a, b] = [tfl.input({ shape: [8, 12, 3] }), tfl.input({ shape: [16, 12, 3] })];
    const nested = inner([null, null, 3]);
    const pool = tfl.layers.globalMaxPooling2d({});
    const outputs = [a, b].map((x) => pool.apply(nested.apply(x)) as tfl.SymbolicTensor);
    const model = tfl.model({ inputs: [a, b], outputs });
    const once = (height: number): number => (height / 2) * 6 * (27 * 4 + 60);
    expect(macs(model)).toBe(once(8) + once(16));
    expect(summarize(model).params.total).toBe(4 * 28 + 5 * 13);
  });

  it("name what they cannot measure", () => {
    const image = tfl.input({ shape: [8, 12, 3] });
    const nested = tfl.model({
      inputs: image,
      outputs: new Unknown({ name: "own" }).apply(image) as tfl.SymbolicTensor,
      name: "inner",
    });
    const other = tfl.input({ shape: [8, 12, 3] });
    const { without } = summarize(tfl.model({ inputs: other, outputs: nested.apply(other) as tfl.SymbolicTensor }));
    expect(without).toEqual({ macs: ["inner/own"], receptiveField: ["own"] });
  });
});

describe("images of any size", () => {
  const model = modelOf(chain({ a: conv(4, 3, same), pool: globalAvgPool(), fc: dense(2) }), [null, null, 3]);

  it("have no multiply-adds and no memory that could be told", () => {
    const { macs: sum, memory, layers } = summarize(model);
    expect([sum, memory.activations]).toEqual([null, null]);
    expect(layers.map(({ macs }) => macs)).toEqual([0, null, 0, 8]);
    expect(summaryText(model)).toContain("Multiply-adds: depend on the input's size\n");
    expect(() => macs(model)).toThrow(
      "expected an input of known size to count multiply-adds, got [null,null,null,3].",
    );
  });

  it("are seen whole behind a global pool", () => {
    expect(receptiveFields(model).get("pool")?.size).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it("cannot be flattened", () => {
    expect(() => modelOf(chain({ a: conv(4, 3, same), flat: flatten() }), [null, 8, 3])).toThrow(
      new OptionError(
        "flat: expected a map of known size to flatten, got anyx8x4; give the input's height and width, or leave the top out (includeTop: false).",
      ),
    );
  });
});

describe("features by stride", () => {
  const network = chain({
    stem: chain({ pad: zeroPad(1), conv: conv(4, 3, { ...valid, stride: 2 }), relu: relu() }),
    pool: chain({ pad: zeroPad(1), max: maxPool(3, 2, valid) }),
    block: add({ main: chain({ a: conv(4, 3, same), b: conv(4, 3, same) }), shortcut: identity }),
    act: relu(),
    down: add({ main: conv(8, 3, { ...same, stride: 2 }), shortcut: conv(8, 1, { ...valid, stride: 2 }) }),
  });
  const top = chain({ body: network, pool: globalAvgPool({ keepSize: true }), fc: conv(5, 1, valid) });

  it.each<[string, (number | null)[], number[][]]>([
    [
      "square",
      [32, 32, 3],
      [
        [16, 16, 4],
        [8, 8, 4],
        [4, 4, 8],
      ],
    ],
    [
      "odd, not square",
      [97, 131, 3],
      [
        [49, 66, 4],
        [25, 33, 4],
        [13, 17, 8],
      ],
    ],
    [
      "one row",
      [1, 40, 3],
      [
        [1, 20, 4],
        [1, 10, 4],
        [1, 5, 8],
      ],
    ],
  ])("are the last maps between blocks: %s", (_, shape, shapes) => {
    const maps = features(modelOf(top, shape), [2, 4, 8]);
    expect(maps.outputs.map((output) => output.sourceLayer.name)).toEqual(["body.stem.relu", "body.act", "body.down"]);
    expect(maps.outputs.map(({ shape: size }) => size.slice(1))).toEqual(shapes);
  });

  it("are those of the stages that the model names", () => {
    const model = setModelMetadata(modelOf(network, [32, 32, 3]), { stages: ["stem.conv", "down"] });
    expect(features(model, [2, 8]).outputs.map((output) => output.sourceLayer.name)).toEqual(["stem.conv", "down"]);
    expect(() => features(model, [4])).toThrow(new OptionError(`${model.name}: expected a stride of 2, 8, got 4.`));
  });

  it("tell axes apart", () => {
    const model = modelOf(
      chain({ a: conv(2, 3, { ...same, stride: [2, 1] }), b: conv(2, 3, { ...same, stride: [1, 2] }) }),
      [16, 16, 3],
    );
    expect(features(model, [2]).outputs[0]?.sourceLayer.name).toBe("b");
    expect(() => features(model, [1])).toThrow("expected a stride of 2x1, 2, got 1.");
  });
});
