import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import { outputsAndMaps } from "../src/objective/model-outputs.ts";

/** `[n, inputs], [inputs, units] -> [n, units]`, by plain loops. */
const dense = (rows: readonly number[][], kernel: readonly number[][]) =>
  rows.map((row) => kernel[0]!.map((_, unit) => row.reduce((sum, value, i) => sum + value * kernel[i]![unit]!, 0)));
const softmax = (rows: readonly number[][]) =>
  rows.map((row) => row.map((value) => Math.exp(value) / row.reduce((sum, each) => sum + Math.exp(each), 0)));

const trunk = [
  [0.5, -1, 2],
  [1, 0.25, -0.5],
  [-0.75, 1.5, 1],
];
const head = [
  [1, -1],
  [0.5, 2],
  [-1.5, 0.75],
];
const x = [
  [1, 2, -1],
  [0.5, -2, 3],
];
const close = (got: tf.Tensor, wanted: readonly number[][]) =>
  wanted.flat().forEach((value, i) => expect(got.dataSync()[i], `value ${i}`).toBeCloseTo(value, 5));

test.each(engines)("logits of a nested model called twice, and maps beside them, as by hand (%s)", async (engine) => {
  await useEngine(engine);
  tf.env().set("IS_TEST", false);
  const weighted = (units: number, kernel: number[][], name: string, activation?: "softmax") => {
    const layer = tfl.layers.dense({
      units,
      useBias: false,
      name,
      ...(activation === undefined ? {} : { activation }),
    });
    return { layer, set: () => layer.setWeights([tf.tensor2d(kernel)]) };
  };
  const body = weighted(3, trunk, "body");
  const end = weighted(2, head, "end", "softmax");
  const inner = tfl.input({ shape: [3] });
  const classifier = tfl.model({ inputs: inner, outputs: end.layer.apply(inner) as tfl.SymbolicTensor, name: "inner" });
  const input = tfl.input({ shape: [3] });
  const middle = body.layer.apply(input) as tfl.SymbolicTensor;
  const outputs = [classifier.apply(middle), classifier.apply(input)] as tfl.SymbolicTensor[];
  const model = tfl.model({ inputs: input, outputs });
  body.set();
  end.set();
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const found = outputsAndMaps(model, tf.tensor2d(x), ["body"]);
    const [deep, shallow] = [dense(dense(x, trunk), head), dense(x, head)];
    expect(found.outputs.map(({ areLogits, activation }) => [areLogits, activation])).toEqual([
      [true, "softmax"],
      [true, "softmax"],
    ]);
    close(found.outputs[0]!.values, deep);
    close(found.outputs[1]!.values, shallow);
    close(found.maps[0]!, dense(x, trunk));
    const [first, second] = model.predict(tf.tensor2d(x)) as tf.Tensor[];
    close(first!, softmax(deep));
    close(second!, softmax(shallow));
    // The nested model's own outputs, as a map of the outer model.
    const whole = outputsAndMaps(model, tf.tensor2d(x), ["body", "inner"]);
    close(whole.maps[0]!, dense(x, trunk));
    close(whole.maps[1]!, softmax(deep));
    close(whole.outputs[1]!.values, shallow);
  });
  expect(tf.memory().numTensors).toBe(before);
});
