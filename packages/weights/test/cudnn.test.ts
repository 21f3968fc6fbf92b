import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { loadModel, loadWeights } from "../src/index.ts";

const golden = (name: string): string => fileURLToPath(new URL(`golden/${name}`, import.meta.url));
// Made by tools/golden/weights-cudnn.py.
const { frames, scores } = JSON.parse(readFileSync(golden("cudnn.json"), "utf8")) as Record<string, number[]>;

it.each(["cudnn.h5", "cudnn.keras"])(
  "%s: CuDNNLSTM and CuDNNGRU are LSTM and GRU with Keras' numbers",
  async (name) => {
    await useEngine("wasm");
    const model = await loadModel(golden(name));
    const x = tf.tensor(frames!, [2, 5, 4]);
    const found = (): Float32Array => tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync() as Float32Array);
    for (const [index, value] of found().entries()) expect(value).toBeCloseTo(scores![index]!, 5);
    // The weights alone fit a network of LSTM and GRU, too.
    model.setWeights(model.getWeights().map((weight) => tf.zerosLike(weight)));
    await loadWeights(model, golden(name));
    for (const [index, value] of found().entries()) expect(value).toBeCloseTo(scores![index]!, 5);
    x.dispose();
    model.dispose();
  },
);
