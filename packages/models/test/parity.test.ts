import { readFileSync, readdirSync } from "node:fs";
import { features, withoutDrawing } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { isComputedInTests } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { seededInput, setSeededWeights } from "./seeded-weights.ts";

interface Golden {
  peer: "keras" | "torchvision" | "timm";
  /** Number of the peer's parameters; of newer goldens. */
  trainable?: number;
  size: [number, number, number];
  high: number;
  gain: number;
  /** Class and mean absolute output of every layer (of those with weights, from PyTorch's peers). */
  layers: Record<string, [string, number]>;
  /** Base64 of float32. */
  logits: string;
}

const folder = new URL("golden/", import.meta.url);
const names = readdirSync(folder).map((file) => file.replace(".json", "") as ModelName);

function readGolden(name: ModelName): Golden {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as Golden;
}

function unpack(base64: string): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** The first layer whose output is not the peer's, for the message of a failing test. */
function firstDifference(model: tfl.LayersModel, x: tf.Tensor4D, golden: Golden): string {
  for (const { name } of model.layers) {
    const expected = golden.layers[name]?.[1];
    if (expected === undefined) continue;
    const y = features(model, [name]).predict(x) as tf.Tensor;
    const got = tf.mean(tf.abs(y)).dataSync()[0] as number;
    if (Math.abs(got - expected) > 1e-4 * Math.max(1e-3, expected)) return `first at ${name}: ${got}, peer ${expected}`;
  }
  return "no layer differs on average";
}

beforeAll(async () => {
  await useEngine("auto");
});

describe.each(names.filter(isComputedInTests))("%s", (name) => {
  const golden = readGolden(name);

  afterEach(() => {
    tf.disposeVariables();
  });

  it(`equals ${golden.peer}'s, with random weights and statistics, within 1e-4 of its logits`, () => {
    const model = withoutDrawing(() => createModel(name, { input: golden.size, logits: true }));
    setSeededWeights(model, golden.gain);
    const x = seededInput(golden.size, golden.high);
    const logits = (model.predict(x) as tf.Tensor).dataSync();
    const expected = unpack(golden.logits);
    expect(logits).toHaveLength(expected.length);
    // Two images give other logits by far more than the bound, or layers could be wrong.
    const [first, second] = [expected.slice(0, expected.length / 2), expected.slice(expected.length / 2)];
    expect(Math.max(...first.map((value, i) => Math.abs(value - second[i]!)))).toBeGreaterThan(100 * 1e-4);
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (logits[i] as number))), 0);
    expect(worst, worst < 1e-4 ? "" : firstDifference(model, x, golden)).toBeLessThan(1e-4);

    if (golden.trainable !== undefined) expect(zoo[name].trainable).toBe(golden.trainable);
    const own = new Map(model.layers.map((layer) => [layer.name, layer.getClassName()]));
    if (golden.peer === "keras") {
      // The names and classes of Keras' layers, so that its weight files load by name.
      expect(Object.fromEntries([...own].toSorted())).toEqual(
        Object.fromEntries(
          Object.entries(golden.layers)
            .map(([layer, [type]]) => [layer, type] as const)
            .toSorted(),
        ),
      );
    } else {
      // The peer's modules, `b0` for its `0`.
      expect([...own.keys()]).toEqual(expect.arrayContaining(Object.keys(golden.layers)));
    }
  });
});
