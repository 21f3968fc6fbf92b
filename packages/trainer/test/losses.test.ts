import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import * as trainer from "../src/index.ts";

interface Golden {
  readonly shape: [number, number];
  readonly logits: number[];
  readonly probabilities: number[];
  readonly sigmoid: number[];
  readonly labels: number[];
  readonly yes: number[];
  readonly cases: { readonly name: string; readonly options: trainer.FocalOptions; readonly values: number[] }[];
}

const { losses: golden } = JSON.parse(readFileSync(new URL("golden/numbers.json", import.meta.url), "utf8")) as {
  losses: Golden;
};

// One engine a process: the best that is here.
beforeAll(() => useEngine(engines[0] ?? "wasm"));

const functions = {
  categoricalCrossentropy: trainer.categoricalCrossentropy,
  sparseCategoricalCrossentropy: trainer.sparseCategoricalCrossentropy,
  binaryCrossentropy: trainer.binaryCrossentropy,
  categoricalFocal: trainer.categoricalFocal,
  binaryFocal: trainer.binaryFocal,
} as Record<string, (targets: tf.Tensor, outputs: tf.Tensor2D, options: trainer.FocalOptions) => tf.Tensor1D>;

describe(`losses equal Keras' (${engines[0]})`, () => {
  test.each(golden.cases.map((each) => [`${each.name} ${JSON.stringify(each.options)}`, each] as const))(
    "%s",
    async (_title, { name, options, values }) => {
      const binary = name.startsWith("binary");
      const outputs = tf.tensor2d(
        options.fromLogits === true ? golden.logits : binary ? golden.sigmoid : golden.probabilities,
        golden.shape,
      );
      const targets = binary
        ? tf.tensor2d(golden.yes, golden.shape)
        : name.startsWith("sparse")
          ? tf.tensor1d(golden.labels, "int32")
          : tf.oneHot(tf.tensor1d(golden.labels, "int32"), golden.shape[1], 1, 0, "float32");
      const got = await functions[name]!(targets, outputs, options).data();
      values.forEach((value, i) =>
        expect(Math.abs(got[i]! - value), `example ${i}: ${got[i]} against ${value}`).toBeLessThan(
          2e-5 * Math.max(1, Math.abs(value)),
        ),
      );
    },
  );
});

test("the sparse loss has the gradient of the softmax", async () => {
  // In tests tfjs takes what an op keeps for its gradient for a leak.
  tf.env().set("IS_TEST", false);
  const labels = tf.tensor1d(golden.labels, "int32");
  const logits = tf.tensor2d(golden.logits, golden.shape);
  const got = tf.grad((x: tf.Tensor) =>
    tf.sum(trainer.sparseCategoricalCrossentropy(labels, x as tf.Tensor2D, { fromLogits: true })),
  )(logits);
  const want = tf.sub(tf.softmax(logits), tf.oneHot(labels, golden.shape[1]));
  expect((await tf.max(tf.abs(tf.sub(got, want))).data())[0]).toBeLessThan(1e-6);
});
