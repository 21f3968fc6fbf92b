import { setModelMetadata } from "@convkit/core";
import { type EngineName, useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
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

test("maps of the teacher move the weights as by hand, where they attend to other places", async () => {
  await useEngine(engine);
  tf.env().set("IS_TEST", false);
  // Pixels times one number are the map, whose attention does not depend on that number; a second channel has a shift.
  const make = (kernel: readonly number[], bias: readonly number[]) => {
    const input = tfl.input({ shape: [2, 2, 1] });
    const map = tfl.layers.conv2d({ name: "map", filters: bias.length, kernelSize: 1 }).apply(input);
    const flat = tfl.layers.flatten().apply(map);
    const kernelInitializer = tfl.initializers.zeros();
    const out = tfl.layers.dense({ units: 3, activation: "softmax", kernelInitializer }).apply(flat);
    const model = tfl.model({ inputs: input, outputs: out as tfl.SymbolicTensor });
    model.getLayer("map").setWeights([tf.tensor4d([...kernel], [1, 1, 1, bias.length]), tf.tensor1d([...bias])]);
    return model;
  };
  const [student, teacher] = [make([0.7], [0.2]), make([1, -0.5], [0.1, 0.9])];
  const attention = (kernel: readonly number[], bias: readonly number[], n: number) => {
    const squares = images
      .slice(n * pixels, (n + 1) * pixels)
      .map((x) => kernel.reduce((sum, k, c) => sum + (k * x + bias[c]!) ** 2, 0) / kernel.length);
    const norm = Math.sqrt(squares.reduce((sum, value) => sum + value ** 2, 0));
    return squares.map((value) => value / norm);
  };
  const distance = (k: number, b: number) => {
    const parts = Array.from({ length: count }, (_, n) => {
      const theirs = attention([1, -0.5], [0.1, 0.9], n);
      return attention([k], [b], n).reduce((sum, value, p) => sum + (value - theirs[p]!) ** 2, 0);
    });
    return parts.reduce((sum, part) => sum + part, 0) / (count * pixels);
  };
  const slope = (f: (shift: number) => number) => (f(1e-5) - f(-1e-5)) / 2e-5;
  const features = [["map", "map"]] as const;
  const options = { model: student, data, epochs: 1, batch: count, restoreBest: false } as const;
  const distill = { teacher, features, featureWeight: 20 };
  // The head is zero, so that nothing else reaches the map's weights.
  await train({ ...options, optimizer: { name: "sgd", learningRate: 0.01 }, distill });
  const [kernel, bias] = student
    .getLayer("map")
    .getWeights()
    .map((weight) => weight.dataSync()[0]!);
  expect(kernel).toBeCloseTo(0.7 - 0.01 * 20 * slope((shift) => distance(0.7 + shift, 0.2)), 5);
  expect(bias).toBeCloseTo(0.2 - 0.01 * 20 * slope((shift) => distance(0.7, 0.2 + shift)), 5);
  expect(Math.abs(bias! - 0.2)).toBeGreaterThan(1e-3);
  const refused = (pair: readonly [string, string]) => train({ ...options, distill: { teacher, features: [pair] } });
  await expect(refused(["nap", "map"])).rejects.toThrow(/has no layer nap; its layers are .*map/);
  await expect(refused(["map", student.layers.at(-1)!.name])).rejects.toThrow(/has no layer|one height and width/);
});
