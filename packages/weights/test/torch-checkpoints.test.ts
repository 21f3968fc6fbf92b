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

  it("the option state names another part of a checkpoint, and a note says what is left out", async () => {
    const model = createModel("squeezenet1-1", { input: [64, 64, 3] });
    const largest = (): number => Math.max(...model.weights[0]!.read().dataSync());
    const path = join(folder, "average-beside-zero.pth");
    const notes: string[] = [];
    await loadWeights(model, path, { onNote: (note) => notes.push(note) });
    expect(notes).toEqual([`${path} takes the weights in "state_dict" and leaves out "state_dict_ema" (52 tensors)`]);
    expect(largest()).toBeGreaterThan(0);
    await loadWeights(model, path, { state: "state_dict_ema" });
    expect(largest()).toBe(0);
    await expect(loadWeights(model, path, { state: "teacher" })).rejects.toThrow(
      /holds no state "teacher": its names begin with "state_dict", "state_dict_ema"/,
    );
    model.dispose();
  });

  it.each([
    ["two.pth", /got several: "left", "right"/],
    ["one-tensor.pth", /expected a dict of tensors .*, got one tensor/],
    ["list.pth", /got a list, whose tensors have no names/],
    ["quantized.pth", /unread: "classifier.1.bias" is a quantized tensor: save it with .dequantize\(\)/],
    ["frozen.pt", /a frozen TorchScript module has no names for its weights/],
  ])("%s is refused", async (name, message) => {
    const model = createModel("squeezenet1-1", { input: [64, 64, 3] });
    const error: unknown = await loadWeights(model, join(folder, name)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(message);
    model.dispose();
  });
});
