import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { peerPython } from "@convkit/testing";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, loadWeights, saveModel } from "../src/index.ts";
import { worstDifference } from "./peers/compare.ts";
import { runPython } from "./peers/run-python.ts";

// One of each kind: shortcuts, scaled residuals, separable and depthwise convolutions, an input that is normalized. `pnpm find:networks`
// compares the other applications.
const applications: readonly (readonly [theirs: string, ours: ModelName, size: number])[] = [
  ["ResNet50", "resnet50", 64],
  ["InceptionResNetV2", "inception-resnet-v2", 96],
  ["Xception", "xception", 96],
  ["MobileNet", "mobilenet", 64],
  ["MobileNetV2", "mobilenet-v2", 64],
  ["EfficientNetB0", "efficientnet-b0", 64],
];
const limit = 1e-5;

// Its tests are the steps of one story, each after the ones before it, also where tests run in a drawn order.
describe.skipIf(peerPython === undefined)("the zoo and Keras", { shuffle: false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-zoo-"));
  const pairs = applications.map(([theirs, , size]) => `${theirs}:${size}`);
  beforeAll(async () => {
    await useEngine();
    runPython("keras-zoo.py", "make", folder, ...pairs);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(applications)("%s gives the same probabilities here", async (theirs, ours, size) => {
    const base = join(folder, theirs);
    const model = createModel(ours, { input: [size, size, 3] });
    for (const extension of ["h5", "weights.h5"]) {
      await loadWeights(model, `${base}.${extension}`);
      expect(await worstDifference(model, base), extension).toBeLessThan(limit);
    }
    for (const extension of ["h5", "keras", "weights.h5"]) await saveModel(model, `${base}.ours.${extension}`);
    model.dispose();
    const whole = await loadModel(`${base}.h5`);
    expect(await worstDifference(whole, base), "the whole model").toBeLessThan(limit);
    whole.dispose();
  });

  it("Keras loads what we wrote", () => {
    const differences = JSON.parse(runPython("keras-zoo.py", "check", folder, ...pairs)) as Record<
      string,
      number | string
    >;
    expect(Object.entries(differences).filter(([, difference]) => !(Number(difference) < limit))).toEqual([]);
    expect(Object.keys(differences)).toHaveLength(3 * applications.length);
  });
});
