import type { LayersModel } from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  convert,
  loadModel,
  loadWeights,
  parity,
  parityText,
  saveModel,
  verifySaved,
  WeightsError,
} from "../src/index.ts";

let folder = "";
beforeAll(() => useEngine());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "convkit-convert-"));
  return () => rmSync(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);
const lenet = (seed: number): LayersModel => createModel("lenet5", { seed });

describe("convert", () => {
  it.each([
    ["a.h5", undefined],
    ["a.keras", undefined],
    ["a.weights.h5", undefined],
    ["a.safetensors", undefined],
    ["a-tfjs", "tfjs"],
  ] as const)("writes %s and reads the same back", async (name, format) => {
    const model = lenet(1);
    const report = await convert(undefined, at(name), {
      model,
      verify: true,
      ...(format === undefined ? {} : { format }),
    });
    // A tfjs folder is run by stock tfjs, which adds in another order.
    expect(report.worst).toBeLessThanOrEqual(format === "tfjs" ? 1e-6 : 0);
    expect(report.weights.map(({ worst }) => worst)).toEqual(model.weights.map(() => 0));
    expect(report.tensors).toBe(model.weights.length);
    expect(readdirSync(folder)).toEqual([name]);
    model.dispose();
  });

  it.each([
    ["lenet5", {}],
    ["googlenet", { input: [80, 80, 3], aux: true }],
  ] as const)(
    "writes %s as ONNX, which ONNX Runtime runs to the same outputs beside TensorFlow",
    async (name, options) => {
      const model = createModel(name, { ...options, seed: 1 } as Parameters<typeof createModel>[1]);
      const before = tf.memory().numTensors;
      const report = await convert(undefined, at("a.onnx"), { model, verify: true });
      expect(report.worst).toBeLessThan(1e-5);
      expect(report.weights).toEqual(model.weights.map(({ originalName, shape }) => ({ name: originalName, shape })));
      expect(tf.memory().numTensors).toBe(before);
      model.dispose();
    },
  );

  it("says what to install where ONNX Runtime is missing, before anything is written", async () => {
    vi.doMock("onnxruntime-node", () => {
      throw new Error("Cannot find package");
    });
    const model = lenet(1);
    await expect(convert(undefined, at("a.onnx"), { model, verify: true })).rejects.toThrow(
      /a\.onnx.*npm install onnxruntime-node/,
    );
    expect(readdirSync(folder)).toEqual([]);
    await convert(undefined, at("a.onnx"), { model });
    vi.doUnmock("onnxruntime-node");
    model.dispose();
  });

  it.each([
    ["float16", 2e-3],
    ["uint8", 5e-2],
    ["uint16", 1e-4],
  ] as const)("writes tfjs models with %s weights", async (quantize, limit) => {
    const model = lenet(1);
    const { bytes } = await saveModel(model, at("small"), { format: "tfjs", quantize });
    expect(bytes).toBeLessThan(model.countParams() * (quantize === "uint8" ? 1.2 : 2.2));
    expect(difference(model, await loadModel(at("small")))).toBeLessThan(limit);
    model.dispose();
  });

  it.each([undefined, "float16", "uint8"] as const)(
    "writes tfjs models that tfjs itself loads (quantized: %s)",
    async (quantize) => {
      const model = createModel("mobilenet-v2", { input: [32, 32, 3], seed: 1 });
      await saveModel(model, at("a"), { format: "tfjs", ...(quantize === undefined ? {} : { quantize }) });
      const json = JSON.parse(readFileSync(at("a/model.json"), "utf8")) as tf.io.ModelJSON;
      const stock = await tfl.loadLayersModel({
        load: () =>
          tf.io.getModelArtifactsForJSON(json, (manifest) => {
            const specs = manifest.flatMap(({ weights }) => weights);
            const shards = manifest.flatMap(({ paths }) => paths.map((path) => readFileSync(at(`a/${path}`))));
            return Promise.resolve([specs, new Uint8Array(Buffer.concat(shards)).buffer]);
          }),
      });
      expect(difference(stock, await loadModel(at("a")))).toBeLessThan(1e-6);
      if (quantize === undefined) expect(difference(stock, model)).toBeLessThan(1e-6);
      tf.dispose([stock.weights.map((weight) => weight.read()), model.weights.map((weight) => weight.read())]);
    },
  );

  it("leaves what was there where it cannot write", async () => {
    const model = createModel("googlenet", { input: [64, 64, 3], includeTop: false });
    writeFileSync(at("a.h5"), "before");
    await expect(saveModel(model, at("a.h5"))).rejects.toThrow(/operation Power from .keras files only/);
    expect(readFileSync(at("a.h5"), "utf8")).toBe("before");
    expect(readdirSync(folder)).toEqual(["a.h5"]);
    model.dispose();
  });
});

describe("loading is all or nothing", () => {
  it.each(["a.h5", "a.weights.h5", "a.safetensors"])(
    "%s of another network changes nothing and names every difference",
    async (name) => {
      const other = createModel("simple-cnn", { seed: 2 });
      await saveModel(other, at(name));
      const model = lenet(1);
      const before = model.weights.map((weight) => weight.read().dataSync().slice());
      let message = "";
      try {
        await loadWeights(model, at(name));
      } catch (error) {
        expect(error).toBeInstanceOf(WeightsError);
        message = (error as Error).message;
      }
      expect(message).toMatch(/nothing was changed/);
      expect(message).toMatch(/missing/);
      expect(message).toMatch(/extra|misshaped/);
      expect(model.weights.map((weight) => weight.read().dataSync())).toEqual(before);
      tf.dispose([other.weights.map((weight) => weight.read()), model.weights.map((weight) => weight.read())]);
    },
  );

  it("of whole models names the layers that are not known with their places", async () => {
    const model = lenet(1);
    await saveModel(model, at("a"), { format: "tfjs" });
    const json = readFileSync(at("a/model.json"), "utf8").replaceAll('"class_name":"Flatten"', '"class_name":"Swirl"');
    writeFileSync(at("a/model.json"), json);
    await expect(loadModel(at("a"))).rejects.toThrow(/layers\[\d+\] ".*" \(Swirl\) of "lenet5"/);
    model.dispose();
  });

  it("refuses models nested without end", async () => {
    const model = lenet(1);
    await saveModel(model, at("a"), { format: "tfjs" });
    const json = readFileSync(at("a/model.json"), "utf8").replace(
      '"inbound_nodes":[[[',
      `"inbound_nodes":${"[".repeat(200_000)}${"]".repeat(200_000)},"old":[[[`,
    );
    writeFileSync(at("a/model.json"), json);
    await expect(loadModel(at("a"))).rejects.toThrow(WeightsError);
    model.dispose();
  });

  it("leaks no tensors", async () => {
    const model = lenet(1);
    await saveModel(model, at("a.h5"));
    const before = tf.memory().numTensors;
    await loadWeights(model, at("a.h5"));
    (await loadModel(at("a.h5"))).dispose();
    await expect(loadWeights(model, at("missing.h5"))).rejects.toThrow(WeightsError);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});

describe("parity", () => {
  it("finds no difference between a model and its copy", async () => {
    const model = lenet(1);
    await saveModel(model, at("a.keras"));
    const report = parity(model, await loadModel(at("a.keras")), tf.randomUniform([2, 28, 28, 1]));
    expect(report.first).toBeUndefined();
    expect(report.worst).toBe(0);
    expect(report.rows.length).toBe(model.layers.length - 1);
    expect(report.unmatched).toEqual([]);
  });

  it("names the first layer that differs", () => {
    const [a, b] = [lenet(1), lenet(1)];
    const dense = b.layers.filter((layer) => layer.getClassName() === "Dense")[1]!;
    dense.setWeights(dense.getWeights().map((weight) => tf.add(weight, 0.1)));
    const before = tf.memory().numTensors;
    const report = parity(
      a,
      b,
      tf.tidy(() => tf.keep(tf.randomUniform([2, 28, 28, 1]))),
    );
    expect(report.first).toBe(dense.name);
    expect(parityText(report)).toContain(`the first layer that differs: ${dense.name}`);
    expect(parityText(report)).toMatch(new RegExp(`^!  ${dense.name}`, "m"));
    expect(tf.memory().numTensors).toBe(before + 1);
  });
});

function difference(a: ReturnType<typeof lenet>, b: ReturnType<typeof lenet>): number {
  return tf.tidy(() => {
    const x = tf.randomUniform([2, ...(a.inputs[0]!.shape.slice(1) as number[])], 0, 1, "float32", 5);
    return tf.max(tf.abs(tf.sub(a.predict(x) as tf.Tensor, b.predict(x) as tf.Tensor))).dataSync()[0]!;
  });
}

describe("verifySaved", () => {
  it("sees what a softmax hides: other logits of a saturated answer", async () => {
    const layer = tfl.layers.dense({ units: 3, inputShape: [2], activation: "softmax", name: "last" });
    const model = tfl.sequential({ layers: [layer] });
    const weightsOf = (bias: number[]): tf.Tensor[] => [tf.zeros([2, 3]), tf.tensor(bias)];
    // The first class has all of the probability; the logits of the others are told by nobody but them.
    model.setWeights(weightsOf([40, 0, 1]));
    await saveModel(model, at("a.onnx"));
    expect(await verifySaved(model, { path: at("a.onnx"), format: "onnx" })).toMatchObject({ holds: true });
    model.setWeights(weightsOf([40, 5, 1]));
    const { worst, relative, holds } = await verifySaved(model, { path: at("a.onnx"), format: "onnx" });
    expect(worst).toBeLessThan(1e-6);
    // Logits around their mean: 24.67, -10.33, -14.33 for 26.33, -13.67, -12.67.
    expect(relative).toBeCloseTo(10 / 3 / 24.6667, 3);
    expect(holds).toBe(false);
    model.dispose();
  });

  it("finds ONNX Runtime at tfjs' numbers where a maximum follows a padding of negative numbers", async () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.conv2d({
          inputShape: [8, 8, 2],
          filters: 3,
          kernelSize: 1,
          biasInitializer: tfl.initializers.constant({ value: -9 }),
        }),
        tfl.layers.zeroPadding2d({ padding: 1 }),
        tfl.layers.maxPooling2d({ poolSize: 3, strides: 2 }),
        tfl.layers.flatten(),
      ],
    });
    await saveModel(model, at("pad.onnx"));
    const { worst, relative, holds } = await verifySaved(model, { path: at("pad.onnx"), format: "onnx" });
    expect({ worst: worst < 1e-5, relative: relative < 1e-5, holds }).toEqual({
      worst: true,
      relative: true,
      holds: true,
    });
    model.dispose();
  });
});
