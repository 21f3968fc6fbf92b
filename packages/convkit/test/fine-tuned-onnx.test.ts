import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { batchNorm, chain, conv, dense, flatten, network } from "@convkit/core";
import { fromArrays } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { fineTune } from "@convkit/trainer";
import { loadModel, saveModel, verifySaved } from "@convkit/weights";
import { afterAll, beforeAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "convkit-fine-tuned-onnx-"));
beforeAll(() => useEngine());
afterAll(() => rmSync(folder, { recursive: true }));

/** 32 images of which every second is bright, in these channels. */
function images(channels: number) {
  const size = 64 * channels;
  return fromArrays({
    images: Uint8Array.from({ length: 32 * size }, (_, i) => ((i * 37) % 90) + (Math.floor(i / size) % 2) * 150),
    shape: [8, 8, channels],
    labels: Array.from({ length: 32 }, (_, i) => i % 2),
    classes: ["dark", "bright"],
    name: "bright",
  });
}

test.each([1, 3, 5])(
  "an ONNX file is fine-tuned on images of %i channels, and ONNX Runtime agrees with what is saved",
  async (channels) => {
    const body = chain({
      conv: conv(6, 3, { padding: 1 }),
      norm: batchNorm(),
      next: conv(4, 3, { padding: 1, stride: 2 }),
      last: batchNorm(),
      flat: flatten(),
      head: dense(4),
    });
    const path = join(folder, "given.onnx");
    const made = network([8, 8, 3], body, { seed: 1, preprocessing: { mean: [120, 120, 120], scale: 0.01 } });
    await saveModel(made, path);
    const given = await loadModel(path);
    const { model, stages } = await fineTune(given, images(channels), {
      batch: 8,
      seed: 4,
      epochs: 12,
      optimizer: { name: "adamw", learningRate: 0.02 },
      headEpochs: 2,
      restoreBest: false,
      ...(channels === 3 ? {} : { channels: "adapt" as const }),
    });
    expect(model.inputs[0]!.shape).toEqual([null, 8, 8, channels]);
    expect(model.outputs[0]!.shape).toEqual([null, 2]);
    const losses = stages.flatMap(({ history }) => history.map(({ loss }) => loss as number));
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    const report = await saveModel(model, join(folder, "tuned.onnx"));
    expect((await verifySaved(model, report)).relative).toBeLessThan(1e-5);
  },
);
