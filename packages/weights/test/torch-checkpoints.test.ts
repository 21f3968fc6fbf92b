import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadWeights, WeightsError } from "../src/index.ts";
import { runPython } from "./peers/run-python.ts";

describe.skipIf(peerPython === undefined)("checkpoints of PyTorch's training scripts", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-checkpoints-"));
  let names: string[] = [];
  beforeAll(async () => {
    await useEngine();
    names = JSON.parse(runPython("torch-checkpoints.py", folder)) as string[];
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("load as the plain state dict does, whatever lies around it", async () => {
    const model = createModel("squeezenet1-1", { input: [64, 64, 3] });
    const biases = (): number[] =>
      model.weights.flatMap((weight) => Array.from(weight.read().dataSync().subarray(0, 3)));
    await loadWeights(model, join(folder, "plain.pth"));
    const expected = biases();
    for (const name of names) {
      for (const weight of model.weights) weight.write(tf.zeros(weight.shape as number[]));
      const { loaded } = await loadWeights(model, join(folder, name));
      expect(loaded, name).toBe(model.weights.length);
      // The expanded bias is its first element only.
      if (!name.startsWith("expanded")) expect(biases(), name).toEqual(expected);
    }
    model.dispose();
  });

  it.each([
    ["two.pth", /got several: "left", "right"/],
    ["whole.pth", /wants to import torchvision.models.squeezenet.SqueezeNet/],
  ])("%s is refused", async (name, message) => {
    const model = createModel("squeezenet1-1", { input: [64, 64, 3] });
    const error: unknown = await loadWeights(model, join(folder, name)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(message);
    model.dispose();
  });
});
