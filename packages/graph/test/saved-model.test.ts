import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines, peerPython, runPeer } from "@convkit/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/index.ts";
import { batchOf, networks } from "./networks.ts";

const folder = mkdtempSync(join(tmpdir(), "graph-saved-model-"));
const written: { path: string; data: number[]; shape: number[]; expected: number[] }[] = [];
afterAll(() => rmSync(folder, { recursive: true }));

describe.runIf(engines.includes("native"))("a SavedModel", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  const cases = ["lenet5", "residual-basic"].flatMap((name) => [true, false].map((frozen) => [name, frozen] as const));

  test.each(cases)("of %s, frozen %s, predicts the same in tfjs-node", async (name, frozen) => {
    const { make, shape, classes } = networks[name] as (typeof networks)[string];
    const net = make();
    const predict = compile((x: tf.Tensor) => net.apply(tf.div(x, 255)) as tf.Tensor);
    const { images } = batchOf(3, shape, classes);
    const input = { data: Float32Array.from(images.data), shape: images.shape };
    const expected = [...(await predict(input)).data];
    const path = join(folder, `${name}-${frozen}`);
    await predict.savedModel(path, [input], { frozen, inputs: ["images"], outputs: ["logits"] });

    const tfn = (await import("@tensorflow/tfjs-node")).default;
    const loaded = await tfn.node.loadSavedModel(path, ["serve"], "serving_default");
    // Another batch size than it was written at.
    const twice = tf.tensor([...input.data, ...input.data], [6, ...shape]);
    const { logits } = loaded.predict({ images: twice }) as unknown as { logits: tf.Tensor };
    close([...logits.dataSync()], [...expected, ...expected]);
    loaded.dispose();

    written.push({ path, data: [...input.data], shape: input.shape, expected });
    await predict.dispose();
  });

  // One start of Python for all: it takes longer than all else here.
  test.skipIf(peerPython === undefined)("predicts the same in Python", () => {
    const printed = runPeer(
      `
import json, sys
import numpy as np
import tensorflow as tf
for case in json.loads(sys.argv[1]):
    predict = tf.saved_model.load(case["path"]).signatures["serving_default"]
    x = np.array(case["data"], "float32").reshape(case["shape"])
    print("=" + json.dumps(predict(images=tf.constant(x))["logits"].numpy().ravel().tolist()))
`,
      [JSON.stringify(written)],
    );
    const results = printed.split("\n").filter((line) => line.startsWith("="));
    expect(results.length).toBe(written.length);
    results.forEach((line, i) => close(JSON.parse(line.slice(1)) as number[], written[i]?.expected ?? []));
  });

  test("of a function that writes counts on in tfjs-node", async () => {
    const variable = tf.variable(tf.scalar(5), false, "counter");
    const count = compile((x: tf.Tensor) => {
      const before = tf.mul(variable, 1);
      variable.assign(tf.add(variable, tf.sum(x)) as tf.Scalar);
      return before;
    });
    const path = join(folder, "counter");
    await count.savedModel(path, [tf.scalar(1)]);
    expect(variable.dataSync()[0]).toBe(5);
    const tfn = (await import("@tensorflow/tfjs-node")).default;
    const loaded = await tfn.node.loadSavedModel(path, ["serve"], "serving_default");
    const run = () =>
      (loaded.predict({ input: tf.scalar(2) }) as unknown as { output: tf.Tensor }).output.dataSync()[0];
    expect([run(), run(), run()]).toEqual([5, 7, 9]);
    loaded.dispose();
    await count.dispose();
  });
});

function close(a: readonly number[], b: readonly number[]): void {
  expect(a.length).toBe(b.length);
  a.forEach((value, i) => expect(Math.abs(value - (b[i] as number))).toBeLessThan(1e-4));
}
