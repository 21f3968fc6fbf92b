import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadWeights, WeightsError } from "../src/index.ts";
import { openWeights } from "../src/load/open-weights.ts";
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

  it("sparse and quantized tensors become dense floats, which is told", async () => {
    for (const [name, count, note] of [
      ["sparse", 8, /makes dense tensors of the sparse "coo", "hybrid", "half" and 5 more/],
      ["quantized", 5, /dequantizes its weights to floats/],
    ] as const) {
      const file = await openWeights(join(folder, `${name}.pth`));
      const tensors = new Map(file.tensors.map((tensor) => [tensor.name, tensor]));
      const pairs = [...tensors.keys()].flatMap((own): [string, string][] => {
        const plain = /^(.*)_(dense|plain)$/.exec(own);
        return plain === null ? [] : [[plain[1]!, own]];
      });
      expect(pairs).toHaveLength(count);
      for (const [own, plain] of pairs) {
        expect(tensors.get(own)!.shape, own).toEqual(tensors.get(plain)!.shape);
        expect(tensors.get(own)!.dtype, own).toBe(tensors.get(plain)!.dtype);
        // PyTorch multiplies and subtracts at once, which rounds otherwise in the last place.
        const expected = tensors.get(plain)!.read();
        for (const [index, value] of tensors.get(own)!.read().entries())
          expect(Math.abs(value - expected[index]!), own).toBeLessThan(1e-6);
      }
      expect(file.notes.join(" ")).toMatch(note);
      if (name === "quantized") {
        expect([...tensors.keys()].filter((own) => own.startsWith("fc."))).toEqual(["fc.weight", "fc.bias"]);
        expect(tensors.get("fc.weight")!.read()).toEqual(tensors.get("tensor_plain")!.read());
      }
      file.close();
    }
    const large = await openWeights(join(folder, "sparse-large.pth"));
    expect(large.tensors.map(({ name }) => name)).toEqual(["w"]);
    expect(large.unread.get("v")).toMatch(/is a sparse tensor of 4398046511104 bytes, more than 536870912/);
    large.close();
  });

  it.each([
    ["two.pth", /got several: "left", "right"/],
    ["one-tensor.pth", /expected a dict of tensors .*, got one tensor/],
    ["list.pth", /got a list, whose tensors have no names/],
    ["gptq.safetensors", /tensor "classifier.1.qweight": the weights are quantized by GPTQ or AWQ, which is not read/],
    ["frozen.pt", /a frozen TorchScript module has no names for its weights/],
  ])("%s is refused", async (name, message) => {
    const model = createModel("squeezenet1-1", { input: [64, 64, 3] });
    const error: unknown = await loadWeights(model, join(folder, name)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(message);
    model.dispose();
  });
});
