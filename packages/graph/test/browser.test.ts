import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, expect, it } from "vitest";
import * as page from "../src/browser.ts";
import * as node from "../src/index.ts";

beforeAll(() => useEngine(engines[0] ?? "wasm"));

it("has the same names in a page as in Node", () => {
  expect(Object.keys(page).toSorted()).toEqual(Object.keys(node).toSorted());
});

it("runs a function op by op in a page, in the order of the calls", async () => {
  const weight = tf.variable(tf.scalar(2));
  const step = page.executable((x) => {
    weight.assign(tf.add(weight, 1));
    return [tf.mul(x!, weight)];
  });
  const feed = { data: Uint8Array.of(1, 255), shape: [2] };
  const results = await step.runAll([[feed], [feed]]);
  expect(results.map(([values]) => [...values!.data])).toEqual([
    [3, 765],
    [4, 1020],
  ]);
  expect(step.runs).toBe(2);
  await step.dispose();
});

it("says in a page what needs TensorFlow's library, and what to do instead", async () => {
  expect(() => page.compile(() => [])).toThrow(/compile needs TensorFlow's own library.*use executable/u);
  expect(() => page.executable(() => [], { eager: false })).toThrow(/leave the option out/u);
  await expect(page.loadSavedModel("folder")).rejects.toThrow(/tf\.loadGraphModel/u);
});

it("leaves an accelerated model as it is in a page, and says so", async () => {
  const model = tfl.sequential({
    layers: [tfl.layers.dense({ units: 1, inputShape: [2], kernelInitializer: "ones" })],
  });
  const notices: string[] = [];
  const accelerated = page.accelerate(model, { onNotice: (line) => notices.push(line) });
  expect(notices).toEqual([expect.stringContaining("runs op by op")]);
  expect((model.predict(tf.tensor2d([[3, 4]])) as tf.Tensor).dataSync()).toEqual(Float32Array.of(7));
  expect(accelerated.describe()).toEqual([]);
  expect(() => page.accelerate(model, { unknown: 1 } as object)).toThrow(/unknown/u);
  await accelerated.dispose();
});
