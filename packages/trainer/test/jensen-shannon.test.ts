import { readFileSync } from "node:fs";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { type BatchAugmentation, sparseCategoricalCrossentropy, train } from "../src/index.ts";
import { jensenShannon, viewsOf } from "../src/objective/jensen-shannon.ts";
import { data, network } from "./arithmetic.ts";

interface Case {
  logits: number[][];
  labels: number[];
  alpha: number;
  loss: number;
  gradient: number[][];
}

const cases = JSON.parse(readFileSync(new URL("./golden/jensen-shannon.json", import.meta.url), "utf8")) as Case[];

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  tf.env().set("IS_TEST", false);
});

test.each(cases)("equals timm's JsdCrossEntropy with its gradient, alpha $alpha", (golden) => {
  const loss = (values: tf.Tensor) => {
    const views = viewsOf({ values: values as tf.Tensor2D, areLogits: true }, 3);
    const each = sparseCategoricalCrossentropy(tf.tensor1d(golden.labels, "int32"), views[0]!.values, {
      fromLogits: true,
    });
    return tf.add(tf.mean(each), tf.mul(jensenShannon(views), golden.alpha)) as tf.Scalar;
  };
  const { value, grad } = tf.valueAndGrad(loss)(tf.tensor2d(golden.logits));
  expect(value.dataSync()[0]! / golden.loss).toBeCloseTo(1, 5);
  golden.gradient.flat().forEach((wanted, i) => expect(grad.dataSync()[i], `gradient ${i}`).toBeCloseTo(wanted, 5));
});

function softmax(logits: readonly number[]): number[] {
  const powers = logits.map(Math.exp);
  return powers.map((power) => power / powers.reduce((sum, each) => sum + each, 0));
}

test.each([false, true])("a training minimizes it on three views of each image, eager: %s", async (eager) => {
  const [count, pixels, classes] = [10, 4, 3];
  const images = Array.from({ length: count * pixels }, (_, i) => Math.cos(i * 1.3));
  const kernel = Array.from({ length: pixels * classes }, (_, i) => Math.sin(i) / 2);
  const factors = [1, 0.5, -2];
  const change: BatchAugmentation = (batch, targets) => ({
    images: tf.concat(
      factors.map((factor) => tf.mul<tf.Tensor4D>(batch, factor)),
      0,
    ),
    targets,
  });
  const augment = Object.assign(change, { jsd: 3 });
  const options = {
    model: network(),
    data,
    batch: count,
    epochs: 1,
    restoreBest: false,
    execution: { eager },
  } as const;
  const { final } = await train({ ...options, augment, optimizer: { name: "sgd", learningRate: 0.5 } });

  let expected = 0;
  for (let n = 0; n < count; n += 1) {
    const x = images.slice(n * pixels, (n + 1) * pixels);
    const logits = [0, 1, 2].map((c) => x.reduce((sum, value, p) => sum + value * kernel[p * classes + c]!, 0));
    const shares = factors.map((factor) => softmax(logits.map((logit) => logit * factor)));
    const mean = [0, 1, 2].map((c) => (shares[0]![c]! + shares[1]![c]! + shares[2]![c]!) / 3);
    const divergence =
      shares.flatMap((share) => share.map((p, c) => p * Math.log(p / mean[c]!))).reduce((a, b) => a + b) / 3;
    expected += (3 * divergence - Math.log(shares[0]![(n * n) % classes]!)) / count;
  }
  expect(final!.loss).toBeCloseTo(expected, 5);
});

test("refuses what three views of one image cannot have", async () => {
  const refused = (augment: object, more: object = {}) =>
    expect(train({ model: network(), data, epochs: 1, augment, ...more })).rejects;
  await refused({ augMix: { jsd: 12 }, mixup: 0.2 }).toThrow(/leave out mixup and cutmix/);
  await refused({ augMix: { jsd: 0 } }).toThrow(/augMix.jsd must be a number above 0, not 0/);
});
