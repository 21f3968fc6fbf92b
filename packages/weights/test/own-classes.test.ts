import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makers } from "../src/formats/keras/import-layers.ts";
import { loadModel, saveModel } from "../src/index.ts";
import { ConvLSTM1D } from "../src/layers/conv-lstm.ts";
import { RecurrentStack } from "../src/layers/recurrent-stack.ts";
import { isOwnLayer, registerImportLayers } from "../src/layers/register.ts";
import { MaskedLayer } from "../src/layers/wrappers.ts";

describe("layer classes of this package", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-own-"));
  beforeAll(() => useEngine());
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are all read from a tfjs folder", () => {
    registerImportLayers();
    const registered = Object.values(tf.serialization.SerializationMap.getMap().classNameMap).map(([own]) => own);
    const own = registered.filter((constructor) => isOwnLayer({ constructor })).map(({ className }) => className);
    expect(own.length).toBeGreaterThan(50);
    expect(own.filter((className) => !Object.hasOwn(makers, className as string))).toEqual([]);
  });

  it("that hold other layers predict the same after a tfjs folder", async () => {
    const sequence = tfl.input({ shape: [5, 4], name: "sequence" });
    const kept = tfl.input({ shape: [5], name: "kept" });
    const stack = new RecurrentStack({
      name: "stack",
      layers: [
        tfl.layers.lstm({ units: 3, returnSequences: true, name: "first" }),
        tfl.layers.simpleRNN({ units: 2, returnSequences: true, name: "second" }),
      ],
    });
    const inner = tfl.layers.lstm({ units: 3, returnSequences: true, name: "inner" });
    const masked = new MaskedLayer({ name: "masked", layer: inner, zeros: true });
    const rows = tfl.layers.reshape({ targetShape: [5, 4, 1], name: "rows" }).apply(sequence) as tfl.SymbolicTensor;
    const outputs = [
      stack.apply(sequence) as tfl.SymbolicTensor,
      masked.apply([sequence, kept]) as tfl.SymbolicTensor,
      new ConvLSTM1D({ name: "conv", filters: 2, kernelSize: 2 }).apply(rows) as tfl.SymbolicTensor,
    ];
    const model = tfl.model({ inputs: [sequence, kept], outputs, name: "holders" });
    await saveModel(model, join(folder, "tfjs"), { format: "tfjs" });
    const again = await loadModel(join(folder, "tfjs"));
    const x = [
      tf.randomNormal([2, 5, 4]),
      tf.tensor2d([
        [1, 0, 1, 1, 0],
        [0, 1, 1, 0, 1],
      ]),
    ];
    const [before, after] = [model, again].map((each) => each.predict(x) as tf.Tensor[]);
    expect(after!.map(({ shape }) => shape)).toEqual([
      [2, 5, 2],
      [2, 5, 3],
      [2, 3, 2],
    ]);
    for (const [index, y] of before!.entries()) {
      const worst = tf.max(tf.abs(tf.sub(y, after![index]!))).dataSync()[0];
      expect(worst).toBeLessThan(1e-6);
    }
    // Masked steps are zero, the others are not.
    const sums = tf.sum(tf.abs(after![1]!), 2).arraySync() as number[][];
    expect(sums.map((row) => row.map((sum) => (sum === 0 ? 0 : 1)))).toEqual([
      [1, 0, 1, 1, 0],
      [0, 1, 1, 0, 1],
    ]);
  });
});
