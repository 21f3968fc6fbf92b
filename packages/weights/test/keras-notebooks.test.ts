import { useEngine } from "@convkit/engine";
import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, loadWeights, saveModel, verifySaved } from "../src/index.ts";
import { worstDifference } from "./peers/compare.ts";
import { runPython } from "./peers/run-python.ts";
import { writeArrays } from "./peers/write-arrays.ts";

/** Networks whose layers cover those of the others. */
const few: readonly ModelName[] = ["lenet5", "inception-cifar10", "residual-stack", "mini-xception", "googlenet"];
const rest: readonly ModelName[] = [
  "simple-cnn",
  "resnet50-small",
  "resnet20-cifar10",
  "vgg16-inception",
  "googlenet-tv",
];
/** `CONVKIT_SUITES=1` runs all. */
const notebooks = process.env["CONVKIT_SUITES"] === "1" ? [...few, ...rest] : few;
/** Local response normalisation takes an operation that Keras reads from .keras alone. */
const keepsH5 = (name: ModelName): boolean => name !== "googlenet";
const limit = 1e-5;

describe.skipIf(peerPython === undefined)("the notebooks' networks and Keras", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-notebooks-"));
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  it("googlenet's weights come back, and what stands for its response normalisation is left out", async () => {
    const model = createModel("googlenet", { input: [64, 64, 3], seed: 1 });
    const again = createModel("googlenet", { input: [64, 64, 3], seed: 2 });
    const report = await saveModel(model, join(folder, "googlenet.weights.h5"));
    const { loaded, ignored } = await loadWeights(again, report.path);
    expect([loaded, ignored]).toEqual([model.weights.length, ["norm1.2", "norm2.2"]]);
    expect((await verifySaved(model, report)).worst).toBe(0);
    model.dispose();
    again.dispose();
  });

  it("googlenet's response normalisation is refused in .h5", async () => {
    const model = createModel("googlenet", { input: [64, 64, 3], seed: 1 });
    await expect(saveModel(model, join(folder, "refused.h5"))).rejects.toThrow(
      /layer ".*": Keras 3 reads the operation Power from \.keras files only/,
    );
    expect(existsSync(join(folder, "refused.h5"))).toBe(false);
    model.dispose();
  });

  it("Keras loads what we wrote, and what it writes again loads here", async () => {
    for (const name of notebooks) {
      const { input } = zoo[name];
      const size = Math.min(input[0], 64);
      const model = createModel(name, { input: name === "mini-xception" ? input : [size, size, input[2]], seed: 1 });
      const x = tf.randomUniform([2, ...(model.inputs[0]!.shape.slice(1) as number[])], -1, 1, "float32", 3);
      const y = model.predict(x) as tf.Tensor;
      writeArrays(join(folder, name), x, y);
      for (const extension of keepsH5(name) ? ["h5", "keras"] : ["keras"]) {
        await saveModel(model, join(folder, `${name}.ours.${extension}`));
      }
      tf.dispose([x, y]);
      model.dispose();
    }
    const differences = JSON.parse(runPython("keras-zoo.py", "check", folder, ...notebooks)) as Record<
      string,
      number | string
    >;
    expect(Object.entries(differences).filter(([, difference]) => !(Number(difference) < limit))).toEqual([]);
    expect(Object.keys(differences)).toHaveLength(2 * notebooks.length - 1);
    for (const name of notebooks) {
      const model = await loadModel(join(folder, `${name}.theirs.keras`));
      expect(await worstDifference(model, join(folder, name)), name).toBeLessThan(limit);
      model.dispose();
    }
  });
});
