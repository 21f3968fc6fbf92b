import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../src/index.ts";

const golden = (name: string): string => fileURLToPath(new URL(`golden/tfjs-keras3/${name}`, import.meta.url));

/** Made by tools/golden/weights-tfjs.py: a sequential model with another in it, and two layers of one name. */
const expected = JSON.parse(readFileSync(golden("expected.json"), "utf8")) as {
  readonly shape: [number, number, number, number];
  readonly x: number[];
  readonly y: number[];
};

describe("tfjs folders that tensorflowjs' converter makes of models of Keras 3", () => {
  beforeAll(() => useEngine());

  it.each(["h5", "keras"])("of a .%s give Keras' numbers", async (kind) => {
    const model = await loadModel(golden(kind));
    const y = model.predict(tf.tensor(expected.x, expected.shape)) as tf.Tensor;
    const far = [...y.dataSync()].map((value, i) => Math.abs(value - expected.y[i]!));
    expect(y.shape).toEqual([2, 2]);
    expect(Math.max(...far)).toBeLessThan(1e-6);
    model.dispose();
  });
});
