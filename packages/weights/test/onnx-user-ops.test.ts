import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
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

beforeAll(async () => {
  await useEngine("wasm");
  const value = (name: string, shape: readonly number[]) => ({
    name,
    type: { tensor_type: { elem_type: 1, shape: { dim: shape.map((size) => ({ dim_value: size })) } } },
  });
  const kernel = { name: "w", dims: [2, 3, 1, 1], data_type: 1, float_data: [1, 0, 0, 0, 1, 1] };
  const scale = { name: "scale", dims: [2, 1, 1], data_type: 1, float_data: [10, 100] };
  const bytes = encodeOnnx("ModelProto", {
    ir_version: 8,
    opset_import: [
      { domain: "", version: 17 },
      { domain: "my.ops", version: 1 },
    ],
    graph: {
      name: "g",
      node: [
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
      initializer: [kernel, scale],
      input: [value("x", [1, 3, 2, 2])],
      output: [value("y", [1, 2, 2, 2])],
    },
  });
  writeFileSync(path, bytes);
});
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
