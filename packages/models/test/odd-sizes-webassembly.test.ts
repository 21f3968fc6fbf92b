import { readFileSync } from "node:fs";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { seededInput, setSeededWeights } from "./seeded-weights.ts";

const golden = JSON.parse(readFileSync(new URL("golden-odd-sizes.json", import.meta.url), "utf8")) as Record<
  string,
  { high: number; gain: number; logits: string }
>;

beforeAll(async () => {
  await useEngine("wasm");
});

it.each(["mobilenet-v2", "mobilenet-v2-tv", "squeezenet1-1", "resnet18"] as const)(
  "%s at 97x131 has the peer's logits on WebAssembly",
  (name) => {
    const { high, gain, logits } = golden[name] as (typeof golden)[string];
    const model = createModel(name, { input: [97, 131, 3], logits: true });
    setSeededWeights(model, gain);
    const got = tf.slice(model.predict(seededInput([97, 131, 3], high)) as tf.Tensor2D, [0, 0], [2, 8]).dataSync();
    const bytes = Buffer.from(logits, "base64");
    const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - (got[i] as number))));
    expect(worst / Math.max(1, ...expected.map(Math.abs))).toBeLessThan(1e-4);
    model.dispose();
  },
);
