import { modelMetadata } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { InferenceSession } from "onnxruntime-node";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, loadWeights, openWeights, savedModelMetadata, saveModel, WeightsError } from "../src/index.ts";

const metadata = {
  name: "birds",
  architecture: "lenet5",
  classes: ["ant", "bee", "Käfer"],
  images: { size: [32, 32], crop: true },
  preprocessing: { scale: 1 / 255, mean: [0.5] },
} as const;

describe("a model's metadata", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-metadata-"));
  const at = (name: string): string => join(folder, name);
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));
  const lenet = () => createModel("lenet5", { classes: 3, seed: 1 });

  it.each([
    ["a.keras", undefined],
    ["a.h5", undefined],
    ["a-tfjs", "tfjs"],
  ] as const)("comes back with the model of %s", async (name, format) => {
    const model = lenet();
    // What the zoo says of the network (its source, the ends of its stages) stays beside what is given.
    const whole = { ...modelMetadata(model), ...metadata };
    await saveModel(model, at(name), { metadata, format });
    const again = await loadModel(at(name));
    expect(modelMetadata(again)).toEqual(whole);
    // What the model says itself goes on, without being told again.
    await saveModel(again, at("again.keras"));
    expect((await openWeights(at("again.keras"))).modelMetadata).toEqual(whole);
    model.dispose();
    again.dispose();
  });

  it.each(["b.safetensors", "b.weights.h5"])("comes back with the weights of %s", async (name) => {
    const model = lenet();
    await saveModel(model, at(name), { metadata });
    const other = lenet();
    await loadWeights(other, at(name));
    expect(modelMetadata(other)).toMatchObject(metadata);
    model.dispose();
    other.dispose();
  });

  it("comes back with the best model of a run directory", async () => {
    const original = lenet();
    await saveModel(original, at("run/model"), { format: "tfjs", metadata });
    writeFileSync(at("run/metrics.json"), "{}");
    const model = await loadModel(at("run"));
    expect(modelMetadata(model)).toMatchObject(metadata);
    expect(model.getWeights().map((weight) => weight.dataSync())).toEqual(
      original.getWeights().map((weight) => weight.dataSync()),
    );
    model.dispose();
    original.dispose();
  });

  it("stands in an ONNX file's metadata_props, and ONNX Runtime runs the file", async () => {
    const model = lenet();
    await saveModel(model, at("c.onnx"), { metadata });
    expect(readFileSync(at("c.onnx")).includes(`convkit\u0012`)).toBe(true);
    expect(readFileSync(at("c.onnx")).includes('"classes":["ant","bee","Käfer"]')).toBe(true);
    await (await InferenceSession.create(at("c.onnx"))).release();
    model.dispose();
  });

  it("that is no metadata is refused with its place", async () => {
    const model = lenet();
    await saveModel(model, at("d"), { format: "tfjs", metadata });
    const json = JSON.parse(readFileSync(at("d/model.json"), "utf8")) as Record<string, unknown>;
    writeFileSync(at("d/model.json"), JSON.stringify({ ...json, userDefinedMetadata: { convkit: { classes: 7 } } }));
    await expect(loadModel(at("d"))).rejects.toThrow(WeightsError);
    await expect(loadModel(at("d"))).rejects.toThrow(/userDefinedMetadata.*classes to be a list of names, got 7/);
    model.dispose();
  });

  it("is {} of a SavedModel that others wrote", () => {
    expect(savedModelMetadata(folder)).toEqual({});
  });
});
