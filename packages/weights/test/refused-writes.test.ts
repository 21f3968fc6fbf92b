import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importModel } from "../src/formats/keras/import-model.ts";
import { loadModel, saveModel, WeightsError, writeWeights } from "../src/index.ts";
import type { ModelFormat } from "../src/index.ts";

/** A user's layer that reads a value, which no format can hold. */
class Reader extends tfl.layers.Layer {
  static className = "Reader";
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    x.dataSync();
    return x;
  }
}

const { conv2d, dense, flatten, reshape } = tfl.layers;
const whole = (): tfl.Sequential =>
  tfl.sequential({
    layers: [conv2d({ filters: 2, kernelSize: 2, inputShape: [4, 4, 1] }), flatten(), dense({ units: 2 })],
  });
const unknown = (): tfl.Sequential =>
  tfl.sequential({ layers: [dense({ units: 2, inputShape: [3] }), new Reader({ name: "reader" })] });
const turned = (): tfl.Sequential =>
  tfl.sequential({ layers: [reshape({ inputShape: [3, 4, 2], targetShape: [6, 4] }), flatten(), dense({ units: 2 })] });

/** A model whose second weight cannot be read, as if the engine failed in the middle of the file. */
function failing(error = new Error("the engine is gone")): tfl.Sequential {
  const model = whole();
  model.weights[1]!.read = () => {
    throw error;
  };
  return model;
}

const refusals: readonly (readonly [name: string, make: () => tfl.LayersModel, format?: ModelFormat])[] = [
  ["refused.keras", unknown],
  ["refused.h5", unknown],
  ["refused.weights.h5", unknown],
  ["refused.onnx", unknown],
  ["refused.safetensors", turned],
  ["refused-graph", unknown, "tfjs-graph"],
  ["refused-saved", unknown, "savedmodel"],
  ["failed.keras", () => failing()],
  ["failed.h5", () => failing()],
  ["failed.weights.h5", () => failing()],
  ["failed.onnx", () => failing()],
  ["failed.safetensors", () => failing()],
  ["failed-tfjs", () => failing(), "tfjs"],
  ["failed-graph", () => failing(), "tfjs-graph"],
];

describe("a refused or failed write", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-refused-"));
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  const rows = refusals.map(([name, make, format]) => ({ name, make, format }));
  it.each(rows)("$name leaves what was there, and nothing else", async ({ name, make, format }) => {
    const inside = join(folder, name.replaceAll(".", "-"));
    mkdirSync(inside);
    const path = join(inside, name);
    const model = make();
    const save = (): Promise<unknown> => saveModel(model, path, format === undefined ? {} : { format });
    await expect(save()).rejects.toThrow(WeightsError);
    expect(readdirSync(inside)).toEqual([]);
    const before = format === undefined ? path : join(path, "model.json");
    if (format !== undefined) mkdirSync(path);
    writeFileSync(before, "what was there");
    await expect(save()).rejects.toThrow(WeightsError);
    expect(readFileSync(before, "utf8")).toBe("what was there");
    expect(readdirSync(inside)).toEqual([name]);
  });

  it("weights in another format are refused by its name", async () => {
    const write = writeWeights(join(folder, "other"), [], { format: "h5" } as never);
    await expect(write).rejects.toThrow(/expected format to be one of safetensors, .*, got "h5"/);
    expect(readdirSync(folder)).not.toContain("other");
  });

  it("keras: 2 is named where it helps, and helps there", async () => {
    const layer = (className: string, module: string, config: object): object => ({
      module,
      class_name: className,
      name: "it",
      config: { name: "it", ...config },
      inbound_nodes: [
        { args: [{ class_name: "__keras_tensor__", config: { keras_history: ["x", 0, 0] } }], kwargs: {} },
      ],
    });
    const input = { class_name: "InputLayer", name: "x", config: { name: "x", batch_shape: [null, 4, 4, 1] } };
    const model = (row: object): tfl.LayersModel => {
      const config = { name: "m", layers: [input, row], input_layers: ["x", 0, 0], output_layers: ["it", 0, 0] };
      return importModel("test", { class_name: "Functional", config } as never);
    };
    const path = join(folder, "axes.h5");
    const axes = model(layer("UnitNormalization", "keras.layers", { axis: [1, 2] }));
    await expect(saveModel(axes, path)).rejects.toThrow(/Keras 3 forgets its axis of \[1,2\].*\(.*keras: 2\)/);
    await saveModel(axes, path, { keras: 2 });
    const again = await loadModel(path);
    const x = tf.randomNormal([2, 4, 4, 1], 0, 1, "float32", 1);
    const [a, b] = [axes, again].map((each) => (each.predict(x) as tf.Tensor).dataSync());
    expect(b).toEqual(a);
    const resized = model(layer("Resize", "keras.src.ops.image", { size: [2, 2] }));
    await expect(saveModel(resized, path)).rejects.toThrow(/the operation Resize from \.keras files only: write/);
    await expect(saveModel(resized, path, { keras: 2 })).rejects.toThrow(/Keras 2 has no function for the operation/);
  });

  it("an error of the code is told as a fault, and not as the path's", async () => {
    const model = failing(new TypeError("Cannot read properties of undefined"));
    await expect(saveModel(model, join(folder, "fault.keras"))).rejects.toThrow(
      /fault\.keras: cannot be written because of a fault in convkit or in a layer class of yours \(Cannot read/,
    );
  });
});
