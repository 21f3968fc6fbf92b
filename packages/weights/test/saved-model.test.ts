import { availableEngines, useEngine } from "@convkit/engine";
import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveModel, verifySaved } from "../src/index.ts";
import { runPython } from "./peers/run-python.ts";
import { writeArrays } from "./peers/write-arrays.ts";

const names: readonly ModelName[] = ["lenet5", "googlenet", "mobilenet-v2", "resnet18", "mini-xception"];
const hasTensorflow = (await availableEngines()).some((name) => name !== "wasm");

describe.skipIf(peerPython === undefined || !hasTensorflow)("SavedModels", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-saved-"));
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  it("give the same when they are read back, and run in Python with any batch", async () => {
    for (const name of names) {
      const { input, smallest } = zoo[name];
      const size = Math.min(input[0], Math.max(64, smallest));
      const model = createModel(name, { input: [size, size, input[2]], seed: 1 });
      const x = tf.randomUniform([3, size, size, input[2]], -1, 1, "float32", 3);
      const y = model.predict(x) as tf.Tensor;
      writeArrays(join(folder, name), x, y);
      const report = await saveModel(model, join(folder, `${name}.saved`), { format: "savedmodel" });
      expect(report.bytes).toBeGreaterThan(4 * model.countParams());
      expect((await verifySaved(model, report)).worst, name).toBeLessThan(1e-5);
      tf.dispose([x, y]);
      model.dispose();
    }
    const differences = JSON.parse(runPython("saved-model-check.py", folder, ...names)) as Record<
      string,
      number | string
    >;
    expect(Object.entries(differences).filter(([, difference]) => !(Number(difference) < 1e-5))).toEqual([]);
    expect(Object.keys(differences)).toHaveLength(names.length);
  });
});
