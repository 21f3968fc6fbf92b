import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { encodeOnnx } from "../src/formats/onnx/protos.ts";
import { loadModel } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-user-ops-"));
const path = join(folder, "own.onnx");

/** `x * scale + shift`, a scale for each channel of the file's second axis: `[n, c, h, w] -> [n, c, h, w]` */
class ChannelScale extends tfl.layers.Layer {
  static className = "ChannelScale";
  readonly shift: number;
  scale!: tfl.LayerVariable;

  constructor({ shift, ...rest }: { name: string; shift: number }) {
    super(rest);
    this.shift = shift;
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    this.scale = this.addWeight("scale", [(shape as number[])[1]!, 1, 1], "float32", tfl.initializers.ones());
    this.built = true;
  }

  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(tf.mul([x].flat()[0]!, this.scale.read()), this.shift);
  }
}

const value = (name: string, shape?: readonly number[]) => ({
  name,
  type: {
    tensor_type: { elem_type: 1, ...(shape && { shape: { dim: shape.map((size) => ({ dim_value: size })) } }) },
  },
});

/** Writes a file of these nodes from x to y. */
function write(node: readonly object[], initializer: readonly object[], shape: readonly number[] | undefined): void {
  const graph = { name: "g", node, initializer, input: [value("x", shape)], output: [value("y", shape)] };
  const opsets = [
    { domain: "", version: 17 },
    { domain: "my.ops", version: 1 },
  ];
  writeFileSync(path, encodeOnnx("ModelProto", { ir_version: 8, opset_import: opsets, graph }));
}

beforeAll(() => useEngine("wasm"));
beforeEach(() =>
  write(
    [
      { op_type: "Conv", input: ["x", "w"], output: ["a"] },
      {
        op_type: "ChannelScale",
        domain: "my.ops",
        input: ["a", "scale"],
        output: ["b"],
        attribute: [{ name: "shift", type: 1, f: 0.5 }],
      },
      { op_type: "Thrice", domain: "my.ops", input: ["b"], output: ["y"] },
    ],
    [
      { name: "w", dims: [2, 3, 1, 1], data_type: 1, float_data: [1, 0, 0, 0, 1, 1] },
      { name: "scale", dims: [2, 1, 1], data_type: 1, float_data: [10, 100] },
    ],
    [1, 3, 2, 2],
  ),
);
afterAll(() => rmSync(folder, { recursive: true }));

it("operators of the user's are layers with the file's weights, and functions, in the file's order of axes", async () => {
  const model = await loadModel(path, { layers: [ChannelScale], functions: { Thrice: (x) => tf.mul(x, 3) } });
  const values = Array.from({ length: 24 }, (_, i) => i);
  const output = tf.tidy(() =>
    (model.predict(tf.tensor4d(values, [2, 2, 2, 3])) as tf.Tensor).arraySync(),
  ) as number[][][][];
  // Pixel p of the batch has the channels 3p, 3p + 1, 3p + 2; the convolution gives 3p, and 6p + 3.
  const wanted = Array.from({ length: 8 }, (_, p) => [3 * (10 * 3 * p + 0.5), 3 * (100 * (6 * p + 3) + 0.5)]);
  expect(output.flat(2)).toEqual(wanted);
  expect(model.trainableWeights.map((weight) => weight.shape)).toEqual([
    [1, 1, 3, 2],
    [2, 1, 1],
  ]);
  model.dispose();
});

it("an operator that nobody gave is refused with the way out", async () => {
  await expect(loadModel(path, { layers: [ChannelScale] })).rejects.toThrow(
    /the operator my\.ops\.Thrice is not known; give it as a layer class, loadModel\(file, \{ layers: \[Thrice\] \}\)/,
  );
});

it("a layer with other weights than the node's constants is refused", async () => {
  class Bare extends tfl.layers.Layer {
    static className = "ChannelScale";
  }
  await expect(loadModel(path, { layers: [Bare], functions: { Thrice: (x) => x } })).rejects.toThrow(
    /has 1 constant inputs, but the layer given for it has 0 weights/,
  );
});

it("constant inputs that the class names are its options", async () => {
  class Clamp extends tfl.layers.Layer {
    static className = "Clamp";
    static constantInputs = ["low", "levels"];
    readonly low: number;
    readonly levels: readonly number[];

    constructor({ low, levels, ...rest }: { name: string; low: number; levels: readonly number[] }) {
      super(rest);
      this.low = low;
      this.levels = levels;
    }

    override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.add(tf.maximum([x].flat()[0]!, this.low), tf.tensor1d([...this.levels]));
    }
  }
  const constants = [
    { name: "k", dims: [], data_type: 1, float_data: [2] },
    { name: "l", dims: [2], data_type: 1, float_data: [10, 20] },
  ];
  write([{ op_type: "Clamp", domain: "my.ops", input: ["x", "k", "l"], output: ["y"] }], constants, [1, 2]);
  const model = await loadModel(path, { layers: [Clamp] });
  expect(tf.tidy(() => (model.predict(tf.tensor2d([[1, 3]])) as tf.Tensor).arraySync())).toEqual([[12, 23]]);
  model.dispose();
});

it("loops, and inputs without a shape, are refused with what is needed", async () => {
  write([{ op_type: "Loop", input: ["x"], output: ["y"] }], [], [1, 2]);
  await expect(loadModel(path)).rejects.toThrow(/node 0 Loop: runs a part of the graph as often as only the run knows/);
  write([{ op_type: "Relu", input: ["x"], output: ["y"] }], [], undefined);
  await expect(loadModel(path)).rejects.toThrow(
    /input "x": states no shape.*export the file with the shape of its input/,
  );
});
