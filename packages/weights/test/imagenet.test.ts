import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { peerPython } from "@convkit/testing";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findImagenetWeights, loadWeights } from "../src/index.ts";
import { worstDifference } from "./peers/compare.ts";
import { runPython } from "./peers/run-python.ts";

const applications: readonly (readonly [theirs: string, ours: ModelName, size: number])[] = [
  ["EfficientNetB0", "efficientnet-b0", 64],
  ["MobileNetV2", "mobilenet-v2", 96],
];

describe.skipIf(peerPython === undefined)("files of the published layout", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-imagenet-"));
  beforeAll(async () => {
    await useEngine();
    runPython("keras-imagenet.py", folder, ...applications.map(([theirs, , size]) => `${theirs}:${size}`));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(applications)(
    '%s gives what keras.applications gives with weights="imagenet"',
    async (theirs, ours, size) => {
      const model = createModel(ours, { input: [size, size, 3], includeTop: false });
      const published = findImagenetWeights(ours, { top: false })!;
      await loadWeights(model, join(folder, `${theirs}.h5`), { published });
      expect(await worstDifference(model, join(folder, theirs))).toBeLessThan(1e-4);
      model.dispose();
    },
  );
});
