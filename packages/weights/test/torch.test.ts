import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { peerPython } from "@convkit/testing";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadWeights, saveModel } from "../src/index.ts";
import { worstDifference } from "./peers/compare.ts";
import { runPython } from "./peers/run-python.ts";

const models: readonly (readonly [theirs: string, ours: ModelName, size: number])[] = [
  ["resnet18", "resnet18", 64],
  ["resnet50", "resnet50-tv", 64],
  ["resnext50_32x4d", "resnext50-32x4d", 64],
  ["googlenet", "googlenet-tv", 64],
  ["squeezenet1_1", "squeezenet1-1", 64],
  ["mobilenet_v2", "mobilenet-v2-tv", 64],
  ["densenet121", "densenet121-tv", 64],
  ["inception_v3", "inception-v3-tv", 96],
  ["alexnet", "alexnet", 96],
  ["vgg16_bn", "vgg16-bn", 64],
];

// Its tests are the steps of one story, each after the ones before it, also where tests run in a drawn order.
describe.skipIf(peerPython === undefined)("torchvision's networks", { shuffle: false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-torch-"));
  const pairs = models.map(([theirs, , size]) => `${theirs}:${size}`);
  beforeAll(async () => {
    await useEngine();
    runPython("torch-models.py", "make", folder, ...pairs);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(models)("%s gives the same logits here", async (theirs, ours, size) => {
    const model = createModel(ours, { input: [size, size, 3], logits: true });
    for (const extension of ["pth", "safetensors"]) {
      await loadWeights(model, join(folder, `${theirs}.${extension}`));
      expect(await worstDifference(model, join(folder, theirs))).toBeLessThan(1e-4);
    }
    await saveModel(model, join(folder, `${theirs}.ours.safetensors`));
    model.dispose();
  });

  it("and timm's take the weights that we wrote with strict=True", () => {
    const differences = JSON.parse(runPython("torch-models.py", "check", folder, ...pairs)) as Record<string, number>;
    expect(Object.entries(differences).filter(([, difference]) => !(difference < 1e-5))).toEqual([]);
    expect(Object.keys(differences)).toHaveLength(models.length + 4);
  });
});
