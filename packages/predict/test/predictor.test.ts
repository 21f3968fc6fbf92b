import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { predictor } from "../src/index.ts";

beforeAll(() => useEngine(engines[0] ?? "wasm"));

function smallNet(): tfl.LayersModel {
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, activation: "relu" }),
      tfl.layers.batchNormalization(),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 2, activation: "softmax" }),
    ],
  });
}

const pixels = Uint8Array.from({ length: 128 }, (_, i) => (i * 37) % 256);

test.each([
  ["compiled where the engine can", {}],
  ["eager", { eager: true }],
])("a predictor gives the model's own outputs (%s)", async (_title, execution) => {
  const model = smallNet();
  const forward = predictor(model, { preprocessing: { scale: 1 / 255 }, execution });
  const { data, shape } = await forward.predict({ data: pixels, shape: [2, 8, 8, 1] });
  await forward.dispose();
  expect(shape).toEqual([2, 2]);
  const input = tf.tensor4d(
    Float32Array.from(pixels, (value) => value / 255),
    [2, 8, 8, 1],
  );
  const want = await (model.predict(input) as tf.Tensor).data();
  want.forEach((value, i) => expect(data[i]).toBeCloseTo(value, 5));
});

test("an unknown option is refused with the near name", () => {
  const mistyped = { preprocesing: { scale: 1 } } as object;
  expect(() => predictor(smallNet(), mistyped)).toThrow(
    'predictor: expected the options runtime, precision, network, threads, preprocessing, execution, got "preprocesing". Did you mean "preprocessing"?',
  );
});

test.each([
  ["Float64Array", Float64Array.of(1)],
  ["Int8Array", Int8Array.of(-1)],
  ["Uint16Array", Uint16Array.of(300)],
  ["BigInt64Array", BigInt64Array.of(1n)],
  ["DataView", new DataView(new ArrayBuffer(4))],
])("a %s is refused alike by all runtimes", async (name, data) => {
  const feed = { data, shape: [1, 1, 1, 1] } as never;
  const forward = predictor(smallNet());
  const sentence = `expected data to be a Float32Array, an Int32Array or a Uint8Array, got a ${name} (input 0).`;
  await expect(forward.predict(feed)).rejects.toThrow(sentence);
  await expect(forward.features(feed)).rejects.toThrow(sentence);
  await forward.dispose();
});

test("predictAll refuses what is no list of inputs", async () => {
  const forward = predictor(smallNet());
  const feed = { data: pixels, shape: [2, 8, 8, 1] } as never;
  await expect(forward.predictAll(feed)).rejects.toThrow(
    "predictAll: expected a list of { data, shape }, one an input",
  );
  await forward.dispose();
});
