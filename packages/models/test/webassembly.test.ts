import { readFileSync } from "node:fs";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { seededInput, setSeededWeights } from "./seeded-weights.ts";

const names: ModelName[] = [
  "lenet5",
  "simple-cnn",
  "inception-cifar10",
  "resnet50-small",
  "residual-stack",
  "mini-xception",
];

interface Golden {
  size: [number, number, number];
  high: number;
  gain: number;
  logits: string;
}

beforeAll(async () => {
  await useEngine("wasm");
});

describe.each(names)("%s on WebAssembly", (name) => {
  const golden = JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), "utf8")) as Golden;

  it("equals Keras' within 1e-4 of its logits", () => {
    const model = createModel(name, { input: golden.size, logits: true });
    setSeededWeights(model, golden.gain);
    const logits = (model.predict(seededInput(golden.size, golden.high)) as tf.Tensor).dataSync();
    const bytes = Buffer.from(golden.logits, "base64");
    const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (logits[i] as number))), 0);
    expect(worst).toBeLessThan(1e-4);
    model.dispose();
  });

  it("has a gradient along which the loss falls as fast as it says", () => {
    // Two images of 32 pixels end as two values a channel, whose norm is a step and not a slope.
    const size: Golden["size"] = name === "resnet50-small" ? [64, 64, 3] : golden.size;
    const model = createModel(name, { input: size, logits: true, dropout: 0 });
    const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const x = seededInput(size, golden.high);
    const y = tf.randomNormal([2, model.outputs[0]?.shape[1] ?? 1], 0, 1, "float32", 1);
    const loss = (): tf.Scalar =>
      tf.mean(tf.square(tf.sub(model.apply(x, { training: true }) as tf.Tensor, y))) as tf.Scalar;
    const { value, grads } = tf.variableGrads(loss, weights);
    const before = value.dataSync()[0] as number;
    const slope = Object.values(grads).reduce(
      (sum, grad) => sum + (tf.sum(tf.square(grad)).dataSync()[0] as number),
      0,
    );
    // Steps that should take a hundredth off the loss, or add it.
    const rate = (1e-2 * before) / slope;
    const move = (factor: number): number => {
      for (const weight of weights) {
        tf.tidy(() => weight.assign(tf.add(weight, tf.mul(grads[weight.name] as tf.Tensor, factor * rate))));
      }
      return tf.tidy(() => loss().dataSync()[0] as number);
    };
    const [less, more] = [move(-1), move(2)];
    expect(Math.abs((more - less) / (2e-2 * before) - 1)).toBeLessThan(0.1);
    model.dispose();
  });
});
