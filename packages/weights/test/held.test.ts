import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, saveModel } from "../src/index.ts";

/** A model whose nested model normalizes its batch. */
function nested(): tfl.LayersModel {
  const x = tfl.input({ shape: [2], name: "inner_in" });
  const y = tfl.layers.batchNormalization({ name: "norm" }).apply(x) as tfl.SymbolicTensor;
  const inner = tfl.model({ inputs: x, outputs: y, name: "inner" });
  const outer = tfl.input({ shape: [2], name: "outer_in" });
  return tfl.model({ inputs: outer, outputs: inner.apply(outer) as tfl.SymbolicTensor });
}

describe("a nested model called with training=False", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-held-"));
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  it("stays in inference in training, and when it is saved again", async () => {
    await saveModel(nested(), join(folder, "first"), { format: "tfjs" });
    const file = join(folder, "first", "model.json");
    const text = readFileSync(file, "utf8");
    const stated = text.replace('["outer_in",0,0,{}]', '["outer_in",0,0,{"training":false}]');
    expect(stated).not.toBe(text);
    const x = tf.tensor2d([
      [1, 10],
      [5, 30],
    ]);
    // The moving mean is 0 and the moving variance 1, so that only epsilon changes the numbers.
    const kept = (model: tfl.LayersModel): boolean => {
      const y = model.apply(x, { training: true }) as tf.Tensor;
      return tf.max(tf.abs(tf.sub(y, x))).dataSync()[0]! < 0.1;
    };
    expect(kept(await loadModel(file))).toBe(false);
    writeFileSync(file, stated);
    const model = await loadModel(file);
    expect(kept(model)).toBe(true);
    for (const name of ["again.keras", "again.h5", "again"]) {
      await saveModel(model, join(folder, name), name === "again" ? { format: "tfjs" } : {});
      expect(kept(await loadModel(join(folder, name)))).toBe(true);
    }
  });
});
