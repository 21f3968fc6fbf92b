import { useEngine } from "@convkit/engine";
import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { isRunInSlowTests, peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveModel } from "../src/index.ts";
import { runPython } from "./peers/run-python.ts";
import { writeArrays } from "./peers/write-arrays.ts";

const names = (Object.keys(zoo) as ModelName[]).filter(isRunInSlowTests);
/** As many at a time as may lie on the disk together. */
const groups = Array.from({ length: Math.ceil(names.length / 16) }, (_, index) =>
  names.slice(16 * index, 16 * index + 16),
);

/** The layers that Keras models bring: keras-import.test.ts. */
describe.skipIf(peerPython === undefined)("ONNX Runtime", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-onnx-"));
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(groups.map((group) => [group.join(", "), group] as const))("runs %s", async (_, group) => {
    for (const name of group) {
      const { input, smallest } = zoo[name];
      const size = Math.min(input[0], Math.max(40, smallest));
      const model = createModel(name, { input: [size, size, input[2]], seed: 1 });
      const x = tf.randomUniform([2, size, size, input[2]], -1, 1, "float32", 3);
      const y = model.predict(x) as tf.Tensor;
      writeArrays(join(folder, name), x, y);
      await saveModel(model, join(folder, `${name}.onnx`));
      tf.dispose([x, y]);
      model.dispose();
    }
    const differences = JSON.parse(runPython("onnx-check.py", folder, ...group)) as Record<string, number | string>;
    expect(Object.keys(differences)).toHaveLength(group.length);
    expect(Object.entries(differences).filter(([, difference]) => !(Number(difference) < 1e-5))).toEqual([]);
    for (const name of group) rmSync(join(folder, `${name}.onnx`));
  });
});
