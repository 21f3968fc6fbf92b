import { setModelMetadata } from "@convkit/core";
import { type EngineName, useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { train } from "../src/index.ts";
import { data, network } from "./arithmetic.ts";

const [count, pixels, classes] = [10, 4, 3];
const images = Array.from({ length: count * pixels }, (_, i) => Math.cos(i * 1.3));
const kernel = Array.from({ length: pixels * classes }, (_, i) => Math.sin(i) / 2);
const teacherKernel = kernel.map((_, i) => Math.cos(i * 3));

function softmax(logits: readonly number[]): number[] {
  const powers = logits.map(Math.exp);
  return powers.map((power) => power / powers.reduce((sum, each) => sum + each, 0));
}

/** One step of descent by hand; the gradient of the divergence at temperature t is t times the difference of the softened classes. */
function byHand(rate: number, temperature: number, share: number): number[] {
  const weights = [...kernel];
  for (let n = 0; n < count; n += 1) {
    const x = images.slice(n * pixels, (n + 1) * pixels);
    const logits = (by: readonly number[]) =>
      [0, 1, 2].map((c) => x.reduce((sum, value, p) => sum + value * by[p * classes + c]!, 0));
    const softened = (by: readonly number[]) => softmax(logits(by).map((logit) => logit / temperature));
    const [own, soft, wanted] = [softmax(logits(kernel)), softened(kernel), softened(teacherKernel)];
    for (let c = 0; c < classes; c += 1) {
      const label = own[c]! - (c === (n * n) % classes ? 1 : 0);
      const slope = (1 - share) * label + share * temperature * (soft[c]! - wanted[c]!);
      for (let p = 0; p < pixels; p += 1) weights[p * classes + c]! -= (rate * slope * x[p]!) / count;
    }
  }
  return weights;
}

const engine: EngineName = engines[0] ?? "wasm";

test.each([false, true])("a teacher's softened classes move the weights as by hand, eager: %s", async (eager) => {
  await useEngine(engine);
  tf.env().set("IS_TEST", false);
  const [model, teacher] = [network(), network()];
  teacher.layers[1]!.setWeights([tf.tensor2d(teacherKernel, [pixels, classes]), tf.zeros([classes])]);
  const distill = { teacher, temperature: 2.5, share: 0.7 };
  const options = { model, data, epochs: 1, batch: count, restoreBest: false, execution: { eager } } as const;
  await train({ ...options, optimizer: { name: "sgd", learningRate: 0.5 }, distill });
  const got = model.layers[1]!.getWeights()[0]!.dataSync();
  byHand(0.5, 2.5, 0.7).forEach((value, i) => expect(got[i], `weight ${i}`).toBeCloseTo(value, 6));
  expect([...teacher.layers[1]!.getWeights()[0]!.dataSync()]).toEqual([...new Float32Array(teacherKernel)]);
  await expect(train({ ...options, distill: { ...distill, share: 2 } })).rejects.toThrow(/distill.share must be/);
  // The model is new and names no classes yet: those of the data count.
  setModelMetadata(teacher, { classes: ["b", "a", "c"] });
  const other = train({ ...options, model: network(), distill });
  await expect(other).rejects.toThrow(/expected a teacher of the classes .*"a","b","c".*, got .*"b","a","c"/);
});
