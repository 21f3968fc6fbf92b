import { fromArrays } from "@convkit/datasets";
import { OutOfMemoryError, useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { train, type TrainOptions } from "../src/index.ts";

beforeAll(() => useEngine("wasm"));

/** So many images that one map is past the heap's 4 GB, though the images themselves are small. */
const count = 300_000;
const data = fromArrays({
  images: new Uint8Array(count * 64),
  shape: [8, 8, 1],
  labels: Int32Array.from({ length: count }, (_, index) => index % 2),
  classes: ["a", "b"],
  name: "many",
});

function network(): tfl.LayersModel {
  const input = tfl.input({ shape: [8, 8, 1] });
  const conv = tfl.layers.conv2d({ filters: 64, kernelSize: 3, padding: "same" }).apply(input);
  const norm = tfl.layers.batchNormalization({ momentum: 0.5 }).apply(conv);
  const mean = tfl.layers.globalAveragePooling2d({}).apply(norm);
  return tfl.model({
    inputs: input,
    outputs: tfl.layers.dense({ units: 2 }).apply(mean) as tfl.SymbolicTensor,
  });
}

const options: Readonly<Record<string, Partial<TrainOptions>>> = {
  sgd: { optimizer: { name: "sgd", learningRate: 0.1 } },
  adam: { optimizer: { name: "adam", learningRate: 0.1 } },
  "gathered gradients": { accumulate: 2 },
  "a moving average": { ema: 0.9 },
};

test.each(Object.entries(options))(
  "a batch that the wasm heap cannot hold is refused with %s before it changes a weight",
  async (_title, more) => {
    const model = network();
    const weights = (): number[][] => model.getWeights().map((weight) => [...weight.dataSync()]);
    const before = weights();
    const done: number[] = [];
    const refused = train({
      model,
      data: { name: "many", train: data },
      epochs: 1,
      batch: count,
      callbacks: [{ onTrainBatchEnd: (batch) => void done.push(batch) }],
      ...more,
    });
    await expect(refused).rejects.toThrow(OutOfMemoryError);
    await expect(refused).rejects.toThrow(
      /^The wasm engine's heap ends at 4 GB and has no room for [\d.]+ MB more: use a smaller batch \(--batch\), or the native engine\.$/,
    );
    expect(done).toEqual([]);
    expect(weights()).toEqual(before);
    model.dispose();
    // The heap is free again: a batch that fits trains.
    expect(tf.tidy(() => tf.sum(tf.ones([4, 8, 8, 64])).dataSync()[0])).toBe(4 * 64 * 64);
  },
);
