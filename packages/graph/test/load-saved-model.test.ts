import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines, peerPython, runPeer } from "@convkit/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile, loadSavedModel } from "../src/index.ts";
import type { HostTensor } from "../src/index.ts";
import { batchOf, networks } from "./networks.ts";

/** A kernel of three filters over two channels. */
const kernel = (): tf.Tensor4D => tf.reshape(tf.linspace(-1, 1, 54), [3, 3, 3, 2]);

const folder = mkdtempSync(join(tmpdir(), "graph-load-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.runIf(engines.includes("native"))("a SavedModel of ours, loaded", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  const ways = [
    ["lenet5", "apply"],
    ["lenet5", "predict"],
    ["residual-basic", "apply"],
  ] as const;

  test.each(ways.flatMap(([name, way]) => [true, false].map((frozen) => [name, way, frozen] as const)))(
    "%s by %s, frozen %s, predicts the same at any batch size",
    async (name, way, frozen) => {
      const { make, shape, classes } = networks[name] as (typeof networks)[string];
      const net = make();
      const predict = compile((x: tf.Tensor) => net[way](tf.div(x, 255)) as tf.Tensor);
      const { images } = batchOf(3, shape, classes);
      const expected = await predict(images);
      const path = join(folder, `${name}-${way}-${frozen}`);
      const example = { data: Float32Array.from(images.data), shape: images.shape };
      await predict.savedModel(path, [example], { frozen, inputs: ["images"], outputs: ["logits"] });
      await predict.dispose();

      const model = await loadSavedModel(path);
      expect(model.signatures).toEqual(["serving_default"]);
      expect(model.signature).toEqual({
        name: "serving_default",
        inputs: { images: { dtype: "float32", shape: [-1, ...shape] } },
        outputs: { logits: { dtype: "float32", shape: [-1, classes] } },
      });
      const { logits } = await model({ images });
      close(logits, expected.data);
      const twice = { data: Float32Array.from([...images.data, ...images.data]), shape: [6, ...shape] };
      close((await model(twice))["logits"], [...expected.data, ...expected.data]);
      expect(model.variables.length).toBe(frozen ? 0 : net.weights.length);
      for (const variable of model.variables) {
        const weight = net.weights.find((w) => variable.name === `variables/${w.name}`);
        expect(variable.shape).toEqual(weight?.shape);
        expect(variable.read().data).toEqual(weight?.read().dataSync());
      }
      await model.dispose();
    },
  );

  test.each([
    [
      "a transposed convolution",
      (x: tf.Tensor) => tf.conv2dTranspose(x as tf.Tensor4D, kernel(), [x.shape[0]!, 8, 8, 3], 2, "same"),
    ],
    ["a slice", (x: tf.Tensor) => tf.slice(x, [0, 1, 1, 0], [x.shape[0]!, 2, 2, 1])],
    ["a tile", (x: tf.Tensor) => tf.add(x, tf.tile(tf.ones([1, 4, 4, 1]), [x.shape[0]!, 1, 1, 2]))],
    // A reshape that infers a size already, and a size that is equal to the batch of the example or to one sample more.
    ["groups", (x: tf.Tensor) => tf.mean(tf.reshape(x, [x.shape[0]!, 2, -1]), 2)],
    [
      "equal sizes",
      (x: tf.Tensor) =>
        tf.add(tf.reshape(tf.tile(x, [1, 1, 1, 3]), [x.shape[0]!, 16, 2, 3]), tf.ones([x.shape[0]!, 1, 2, 3])),
    ],
    ["pixels in a row", (x: tf.Tensor) => tf.slice(tf.reshape(x, [-1, 2]), [0, 1], [16 * x.shape[0]!, 1])],
  ] as const)("%s takes any batch size", async (name, fn) => {
    const predict = compile(fn);
    const path = join(folder, name.replaceAll(" ", "-"));
    await predict.savedModel(path, [tf.zeros([2, 4, 4, 2])]);
    const model = await loadSavedModel(path);
    for (const batch of [1, 2, 5]) {
      const x = tf.randomUniform([batch, 4, 4, 2], -1, 1, "float32", 3);
      const { output } = await model({ input: x });
      const expected = fn(x);
      expect(output?.shape).toEqual(expected.shape);
      close(output, [...expected.dataSync()]);
    }
    await model.dispose();
    await predict.dispose();
  });

  test("is refused where every batch size was asked for and one number is none of its multiples", async () => {
    const odd = compile((x: tf.Tensor) => tf.mul(x, x.shape[0]! + 0.5));
    const path = join(folder, "odd");
    await expect(odd.savedModel(path, [tf.ones([2, 3])], { anyBatch: true })).rejects.toThrow(/any batch size/);
    await odd.savedModel(path, [tf.ones([2, 3])]);
    const model = await loadSavedModel(path);
    expect((await model({ input: tf.ones([2, 3]) }))["output"]?.data[0]).toBe(2.5);
    await expect(model({ input: tf.ones([3, 3]) })).rejects.toThrow(/takes the shape/);
    await model.dispose();
    await odd.dispose();
  });

  test("keeps its variables, which are read as they are", async () => {
    const variable = tf.variable(tf.scalar(5), false, "loaded counter");
    const count = compile((x: tf.Tensor) => {
      const before = tf.mul(variable, 1);
      variable.assign(tf.add(variable, x) as tf.Scalar);
      return before;
    });
    const path = join(folder, "counter");
    await count.savedModel(path, [tf.scalar(1)]);
    await count.dispose();
    const model = await loadSavedModel(path);
    const results = await Promise.all([model(2), model(2), model(tf.scalar(2))]);
    expect(results.map(({ output }) => output?.item())).toEqual([5, 7, 9]);
    expect(model.variables.map(({ name, shape, dtype, read }) => [name, shape, dtype, read().item()])).toEqual([
      ["variables/loaded_counter", [], "float32", 11],
    ]);
    expect(variable.dataSync()[0]).toBe(5);
    await model.dispose();
    await expect(model(2)).rejects.toThrow(/disposed/);
  });

  test("says what is wrong", async () => {
    const add = compile((a: tf.Tensor, b: tf.Tensor) => tf.add(a, b));
    const path = join(folder, "add");
    const two = { data: Float32Array.of(1, 2), shape: [1, 2] };
    await add.savedModel(path, [two, two], { inputs: ["a", "b"] });
    await add.dispose();
    await expect(loadSavedModel(join(folder, "nothing"))).rejects.toThrow(/refused the SavedModel .*nothing/);
    await expect(loadSavedModel(path, { tags: ["train"] })).rejects.toThrow(/train/);
    await expect(loadSavedModel(path, { signature: "predict" })).rejects.toThrow(
      /no signature "predict"; it has "serving_default"/,
    );
    const model = await loadSavedModel(path);
    await expect(model({ a: two, c: two })).rejects.toThrow(/takes "a", "b", and "a", "c" came/);
    await expect(model(two)).rejects.toThrow(/takes "a", "b", and a tensor without a name came/);
    await expect(model({ a: two, b: tf.ones([1, 3]) })).rejects.toThrow(
      /"b" takes the shape \[any, 2\], and \[1, 3\] came/,
    );
    expect([...((await model({ a: two, b: two }))["output"]?.data ?? [])]).toEqual([2, 4]);
    await model.dispose();
  });
});

/** Writes models by Keras and TensorFlow, and prints what they compute. */
const python = `
import json, sys
import numpy as np
import keras
import tensorflow as tf
folder = sys.argv[1]
keras.utils.set_random_seed(3)
inputs = keras.Input((8, 8, 3), name="picture")
x = keras.layers.Conv2D(4, 3, strides=2, activation="relu")(inputs)
x = keras.layers.BatchNormalization()(x)
x = keras.layers.Dropout(0.5)(keras.layers.Flatten()(x))
model = keras.Model(inputs, [keras.layers.Dense(3)(x), keras.layers.Dense(2, activation="softmax")(x)])
model.export(folder + "/keras", verbose=False)
picture = np.arange(2 * 8 * 8 * 3, dtype="float32").reshape(2, 8, 8, 3) / 100
print("=" + json.dumps([y.ravel().tolist() for y in model.predict(picture, verbose=0)]))

class Typed(tf.Module):
    def __init__(self):
        self.total = tf.Variable(2, dtype=tf.int64, name="total")
    @tf.function(input_signature=[
        tf.TensorSpec([None], tf.int64, "whole"), tf.TensorSpec([2], tf.uint8, "bytes"),
        tf.TensorSpec([], tf.bool, "flag"), tf.TensorSpec(None, tf.float64, "any"), tf.TensorSpec([None, 1], tf.int32, "column")])
    def compute(self, whole, bytes, flag, any, column):
        self.total.assign_add(tf.reduce_sum(whole))
        return {"total": self.total.read_value(), "bytes": bytes + 1, "flag": tf.logical_not(flag), "half": any / 2, "column": column * 3}
    @tf.function(input_signature=[tf.TensorSpec([], tf.string, "text")])
    def shout(self, text):
        return {"loud": text}
typed = Typed()
tf.saved_model.save(typed, folder + "/typed", signatures={"compute": typed.compute, "shout": typed.shout})
`;

describe.runIf(engines.includes("native") && peerPython !== undefined)("a SavedModel of Python's, loaded", () => {
  let expected: number[][];
  beforeAll(async () => {
    await useEngine("native");
    const line = runPeer(python, [folder])
      .split("\n")
      .find((printed) => printed.startsWith("="));
    expected = JSON.parse(line?.slice(1) ?? "[]") as number[][];
  });

  test("written by Keras' export", async () => {
    const model = await loadSavedModel(join(folder, "keras"));
    expect(model.signatures).toContain("serving_default");
    expect(model.signature.inputs).toEqual({ picture: { dtype: "float32", shape: [-1, 8, 8, 3] } });
    expect(Object.keys(model.signature.outputs)).toEqual(["output_0", "output_1"]);
    expect(model.variables.length).toBe(10);
    const picture = { data: Float32Array.from({ length: 384 }, (_, i) => i / 100), shape: [2, 8, 8, 3] };
    const outputs = await model({ picture });
    close(outputs["output_0"], expected[0] as number[]);
    close(outputs["output_1"], expected[1] as number[]);
    for (const { read, shape } of model.variables) expect(read().shape).toEqual(shape);
    expect(model.variables.map(({ shape }) => shape)).toContainEqual([3, 3, 3, 4]);
    await model.dispose();
  });

  test("written by tf.saved_model.save, with every type", async () => {
    const model = await loadSavedModel(join(folder, "typed"), { signature: "compute" });
    expect(model.signatures.toSorted()).toEqual(["compute", "shout"]);
    expect(model.signature.inputs).toEqual({
      whole: { dtype: "int64", shape: [-1] },
      bytes: { dtype: "uint8", shape: [2] },
      flag: { dtype: "bool", shape: [] },
      any: { dtype: "float64" },
      column: { dtype: "int32", shape: [-1, 1] },
    });
    const outputs = await model({
      whole: tf.tensor1d([1, 2, 3], "int32"),
      bytes: { data: Uint8Array.of(7, 8), shape: [2] },
      flag: tf.scalar(true, "bool"),
      any: { data: Float32Array.of(3, 5), shape: [2, 1] },
      column: { data: Int32Array.of(-1, 4), shape: [2, 1] },
    });
    const shown = Object.fromEntries(
      Object.entries(outputs).map(([key, { dtype, shape, data }]) => [key, [dtype, shape, [...data]]]),
    );
    expect(shown).toEqual({
      total: ["int32", [], [8]],
      bytes: ["int32", [2], [8, 9]],
      flag: ["bool", [], [0]],
      half: ["float32", [2, 1], [1.5, 2.5]],
      column: ["int32", [2, 1], [-3, 12]],
    });
    expect(model.variables.map(({ dtype, read }) => [dtype, read().item()])).toEqual([["int64", 8]]);
    await model.dispose();
    await expect(loadSavedModel(join(folder, "typed"), { signature: "shout" })).rejects.toThrow(
      /"text" of the signature "shout" is of the type string/,
    );
  });
});

function close(result: HostTensor | undefined, expected: ArrayLike<number>): void {
  expect(result?.data.length).toBe(expected.length);
  result?.data.forEach((value, i) => expect(Math.abs(value - (expected[i] as number))).toBeLessThan(1e-5));
}
