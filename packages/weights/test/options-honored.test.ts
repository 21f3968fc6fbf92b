import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convert, loadWeights, saveModel } from "../src/index.ts";

describe("options of loading", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-options-"));
  const at = (name: string): string => join(folder, name);
  const lenet = (seed: number) => createModel("lenet5", { seed });
  beforeAll(async () => {
    await useEngine();
    const model = lenet(1);
    await saveModel(model, at("a.keras"));
    await saveModel(model, at("a-tfjs"), { format: "tfjs" });
    await saveModel(model, at("a.safetensors"));
    model.dispose();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("convert hands every one of them to the reader", async () => {
    const model = lenet(2);
    const notes: string[] = [];
    const options = { model, channels: "adapt", onNote: (note: string) => notes.push(note) } as const;
    await convert(at("a.safetensors"), at("b.keras"), options);
    await expect(convert(at("a.safetensors"), at("c.keras"), { model, state: "model_ema" })).rejects.toThrow(
      'openWeights: expected a checkpoint of PyTorch for the state "model_ema", got safetensors in',
    );
    model.dispose();
  });

  it("convert refuses those that a whole model cannot take", async () => {
    await expect(convert(at("a.keras"), at("d.onnx"), { ignore: /fc/, by: "order" })).rejects.toThrow(
      "convert: expected by, ignore only with a file of weights and model, the network that they belong to, got no model.",
    );
  });

  it("a tfjs folder takes what is to be ignored, and refuses what it cannot do", async () => {
    const model = createModel("lenet5", { seed: 2, classes: 7 });
    const before = model.getWeights().map((weight) => [...weight.dataSync()]);
    await expect(loadWeights(model, at("a-tfjs"), { by: "order" })).rejects.toThrow(
      /expected no by for a tfjs folder, whose weights are found by name, got "order"/,
    );
    expect(model.getWeights().map((weight) => [...weight.dataSync()])).toEqual(before);
    // Without the last layer's weights on either side, the others are loaded.
    const own = lenet(1);
    const names = model.weights.map(({ originalName }) => originalName);
    const last = names.at(-1)!.split("/")[0]!;
    const { loaded } = await loadWeights(own, at("a-tfjs"), { ignore: new RegExp(`^${last}/`) });
    expect(loaded).toBe(names.length);
    model.dispose();
    own.dispose();
  });
});
