import { useEngine } from "@convkit/engine";
import { engines, peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../src/index.ts";
import { readArray } from "./peers/compare.ts";
import { runPython } from "./peers/run-python.ts";

interface Entry {
  readonly name: string;
  readonly file: string;
  readonly inputs: number;
  readonly outputs: number;
}

describe.skipIf(peerPython === undefined)("Keras files of one layer, option or habit", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-kinds-"));
  let entries: readonly Entry[] = [];
  beforeAll(() => {
    entries = JSON.parse(runPython("keras-kinds.py", folder).trim().split("\n").at(-1)!) as Entry[];
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const arrays = (name: string, kind: "x" | "y", count: number): Promise<tf.Tensor[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => readArray(join(folder, `${name}.${kind}${index}.npy`))));

  it.each(engines)("give Keras' numbers on %s", async (engine) => {
    await useEngine(engine);
    const failures: string[] = [];
    for (const { name, file, inputs, outputs } of entries) {
      try {
        const model = await loadModel(join(folder, file));
        const given = await arrays(name, "x", inputs);
        const typed = given.map((x, index) => tf.cast(x, model.inputs[index]!.dtype));
        const found = [model.predict(typed.length === 1 ? typed[0]! : typed)].flat();
        const wanted = await arrays(name, "y", outputs);
        expect(found.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
        for (const [index, y] of wanted.entries()) {
          const [a, b] = [found[index]!.dataSync<"float32">(), y.dataSync<"float32">()];
          const worst = a.reduce((most: number, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
          if (!(worst < 1e-4)) failures.push(`${file}: output ${index} is off by ${worst}`);
        }
        model.dispose();
      } catch (error) {
        failures.push(`${file}: ${(error as Error).message}`);
      }
    }
    expect(failures).toEqual([]);
    // Every kind but those that Keras itself cannot read back from .h5.
    expect(new Set(entries.map(({ name }) => name)).size).toBe(81);
    expect(entries.length).toBeGreaterThan(75);
  });
});
