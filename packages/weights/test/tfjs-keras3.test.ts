import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { loadModel, saveModel } from "../src/index.ts";

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

describe("tfjs folders that tensorflowjs' converter makes of models of Keras 2", () => {
  beforeAll(() => useEngine());

  it("load recurrent layers, whose weights are named by their cells", async () => {
    const folder = mkdtempSync(join(tmpdir(), "convkit-tfjs-cells-"));
    const model = tfl.sequential({
      layers: [
        tfl.layers.bidirectional({
          inputShape: [5, 3],
          mergeMode: "concat",
          layer: tfl.layers.lstm({ units: 2, returnSequences: true }) as tfl.RNN,
        }),
        tfl.layers.gru({ units: 4 }),
        tfl.layers.dense({ units: 2 }),
      ],
    });
    await saveModel(model, folder, { format: "tfjs" });
    const path = join(folder, "model.json");
    const file = JSON.parse(readFileSync(path, "utf8")) as { weightsManifest: { weights: { name: string }[] }[] };
    let renamed = 0;
    for (const entry of file.weightsManifest.flatMap(({ weights }) => weights)) {
      const name = entry.name.replace(/(lstm|gru)([^/]*)\/([^/]+)$/i, "$1$2/$1_cell/$3");
      renamed += name === entry.name ? 0 : 1;
      entry.name = name;
    }
    expect(renamed).toBe(9);
    writeFileSync(path, JSON.stringify(file));
    const again = await loadModel(folder);
    const x = tf.reshape(tf.linspace(-1, 1, 30), [2, 5, 3]);
    const [y, z] = [model.predict(x) as tf.Tensor, again.predict(x) as tf.Tensor];
    expect([...z.dataSync()]).toEqual([...y.dataSync()]);
    model.dispose();
    again.dispose();
    rmSync(folder, { recursive: true });
  });
});
