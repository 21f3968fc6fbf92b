import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFile } from "../src/platform/disk.ts";
import { readZip } from "../src/bytes/zip-reader.ts";
import { tellPolicy } from "../src/formats/keras/policy.ts";
import { importModel, loadModel, openWeights, saveModel } from "../src/index.ts";
import { onnxCases } from "./onnx-cases.ts";

type Json = Readonly<Record<string, unknown>>;

const keras2 = (name: string): Json => ({ class_name: "Policy", config: { name } });
const keras3 = (name: string): Json => ({
  module: "keras",
  class_name: "DTypePolicy",
  config: { name },
  registered_name: null,
});

/** A model in which the dense layers state policies, as Keras 2 writes it. */
const topology = (first: unknown, second: unknown): Json => ({
  class_name: "Sequential",
  config: {
    name: "net",
    layers: [
      { class_name: "InputLayer", config: { batch_input_shape: [null, 3], dtype: "float32", name: "input" } },
      { class_name: "Dense", config: { name: "first", units: 4, activation: "relu", use_bias: true, dtype: first } },
      {
        class_name: "Dense",
        config: { name: "second", units: 2, activation: "linear", use_bias: true, dtype: second },
      },
    ],
  },
});

function dtypesOf(config: Json): unknown[] {
  const { layers } = config["config"] as { layers: { class_name: string; config: Json }[] };
  return layers.filter(({ class_name }) => class_name === "Dense").map((layer) => layer.config["dtype"]);
}

describe("dtype policies of Keras", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-policy-"));
  const at = (name: string): string => join(folder, name);
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ["mixed_bfloat16", keras3("mixed_bfloat16")],
    ["mixed_float16", keras2("mixed_float16")],
    ["float16", "float16"],
  ])("%s is told once, and stays with its layers in files of Keras", async (policy, stated) => {
    const model = importModel("net", topology(stated, "float32"), {});
    await saveModel(model, at("net.keras"));
    const notes: string[] = [];
    const again = await loadModel(at("net.keras"), { onNote: (note) => notes.push(note) });
    expect(notes).toEqual([
      `${at("net.keras")} states the dtype policy ${policy} in 1 layer: the model computes in float32 here, and files of Keras that it is saved in state the policy again`,
    ]);
    const x = tf.tensor2d([[1, -2, 3]]);
    expect([...(again.predict(x) as tf.Tensor).dataSync()]).toEqual([...(model.predict(x) as tf.Tensor).dataSync()]);
    await saveModel(again, at("again.keras"));
    const entry = (await readZip(openFile(at("again.keras")))).get("config.json")!.open();
    const config = JSON.parse(Buffer.from(entry.read(0, entry.size)).toString()) as Json;
    expect(dtypesOf(config)).toEqual([keras3(policy), keras3("float32")]);
    await saveModel(again, at("again.h5"));
    const file = await openWeights(at("again.h5"));
    // A word: Keras 3 fails at the object that Keras 2 writes.
    expect(dtypesOf(file.config!)).toEqual([policy, "float32"]);
    file.close();
  });

  it("nothing is told of float32", async () => {
    const model = importModel("net", topology(keras3("float32"), "float32"), {});
    await saveModel(model, at("plain.keras"));
    const notes: string[] = [];
    await loadModel(at("plain.keras"), { onNote: (note) => notes.push(note) });
    expect(notes).toEqual([]);
  });

  it("casts to float16 by TensorFlow's function and by ONNX' operator are told", async () => {
    const calls = (name: string, dtype: string): Json => ({
      class_name: "TFOpLambda",
      config: { name, dtype: "float32", function: "cast" },
      name,
      inbound_nodes: [[name === "half" ? "input" : "half", 0, 0, { dtype }]],
    });
    const input = { batch_input_shape: [null, 3], dtype: "float32", name: "input" };
    const config = {
      class_name: "Functional",
      config: {
        name: "net",
        layers: [
          { class_name: "InputLayer", config: input, name: "input", inbound_nodes: [] },
          calls("half", "float16"),
          calls("back", "float32"),
        ],
        input_layers: [["input", 0, 0]],
        output_layers: [["back", 0, 0]],
      },
    };
    const notes: string[] = [];
    tellPolicy("net.h5", config, (note) => notes.push(note));
    const { bytes } = onnxCases("arithmetic").find(({ title }) => title === "Cast to float16 and back")!;
    writeFileSync(at("half.onnx"), bytes);
    const model = await loadModel(at("half.onnx"), { onNote: (note) => notes.push(note) });
    model.dispose();
    expect(notes).toEqual(
      ["net.h5", at("half.onnx")].map(
        (path) =>
          `${path} casts numbers to float16 or bfloat16 once: the model computes in float32 here, without that rounding`,
      ),
    );
  });
});
