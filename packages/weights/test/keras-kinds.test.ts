import { useEngine } from "@convkit/engine";
import { engines, peerPython } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, saveModel } from "../src/index.ts";
import { readArray } from "./peers/compare.ts";
import { runPython } from "./peers/run-python.ts";

interface Entry {
  readonly name: string;
  readonly file: string;
  readonly inputs: number;
  readonly outputs: number;
}

/** The user's layer and function of `keras-kinds.py`, which have names of ours. */
class LayerScale extends tfl.layers.Layer {
  static className = "LayerScale";
  private gamma!: tfl.LayerVariable;

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    this.gamma = this.addWeight("gamma", [(shape as number[]).at(-1)!], "float32", tfl.initializers.zeros());
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = [inputs].flat()[0]!;
    return tf.add(x, tf.mul(x, this.gamma.read()));
  }
}

const twice = (x: tf.Tensor): tf.Tensor => tf.mul(x, 2);

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
        const own = name === "of_user" ? { layers: [LayerScale], functions: { gelu: twice } } : {};
        const model = await loadModel(join(folder, file), own);
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
    expect(new Set(entries.map(({ name }) => name)).size).toBe(104);
    expect(entries.length).toBeGreaterThan(75);
  });

  it("give Keras' numbers after a tfjs folder", async () => {
    await useEngine();
    const failures: string[] = [];
    for (const { name, file, inputs, outputs } of entries) {
      if (!file.endsWith(".keras") || name === "of_user") continue;
      const folderOfOne = join(folder, "tfjs", name);
      try {
        const model = await loadModel(join(folder, file));
        await saveModel(model, folderOfOne, { format: "tfjs" });
        const again = await loadModel(folderOfOne);
        const given = (await arrays(name, "x", inputs)).map((x, index) => tf.cast(x, model.inputs[index]!.dtype));
        const found = [again.predict(given.length === 1 ? given[0]! : given)].flat();
        for (const [index, y] of (await arrays(name, "y", outputs)).entries()) {
          const worst = tf.max(tf.abs(tf.sub(found[index]!, y))).dataSync()[0]!;
          if (!(worst < 1e-4)) failures.push(`${name}: output ${index} is off by ${worst}`);
        }
        model.dispose();
        again.dispose();
      } catch (error) {
        failures.push(`${name}: ${(error as Error).message}`);
      }
    }
    expect(failures).toEqual([]);
  });

  it("give Keras' numbers in Keras when they are written again, or are refused", async () => {
    await useEngine();
    const refused = new Map<string, string>();
    for (const { name, file } of entries) {
      // A user's layer is refused: refused-writes.test.ts.
      if (!file.endsWith(".keras") || name === "of_user") continue;
      const model = await loadModel(join(folder, file));
      for (const ending of ["keras", "h5"])
        await saveModel(model, join(folder, `${name}.back.${ending}`)).catch((error: unknown) => {
          refused.set(`${name}.${ending}`, (error as Error).message);
        });
      model.dispose();
    }
    expect(JSON.parse(runPython("keras-kinds-back.py", folder).trim().split("\n").at(-1)!)).toEqual({});
    const withoutKeras = [...refused].filter(([name]) => name.endsWith(".keras"));
    expect(withoutKeras.map(([name]) => name.replace(".keras", "")).toSorted()).toEqual(
      "given_statistics norms wrapped_cells".split(" "),
    );
    expect(refused.get("spectral.h5")).toContain("Keras finds its SpectralNormalization from .keras files only");
  });
});
