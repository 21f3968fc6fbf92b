import { hashText, uniformValues } from "@convkit/core/internal";
import { useEngine } from "@convkit/engine";
import { createModel, findArchitecture, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StockAnswer, StockRequest } from "./stock-reader.ts";

/**
 * Writes every network of the zoo as a layers model of tfjs, plain and in stock layers, and as a graph model, and loads
 * all three in a process that knows stock tfjs only. Logits must agree to 1e-4 of the largest. Arguments: names of
 * networks. `BACKEND` is wasm or cpu.
 */
const names = (process.argv.length > 2 ? process.argv.slice(2) : Object.keys(zoo)) as ModelName[];
const kinds = {
  "layers model": { format: "tfjs" },
  "in stock layers": { format: "tfjs", stock: true },
  "graph model": { format: "tfjs-graph" },
} as const;
const bound = 1e-4;

/**
 * Draws the factors and offsets of batch norms, and gives them the statistics of the images: with statistics that are drawn, too,
 * the logits of a deep network hardly depend on the image, and wrong layers would pass.
 */
function setStatistics(model: tfl.LayersModel, images: tf.Tensor): void {
  const norms = model.layers.filter((layer) => layer.getClassName() === "BatchNormalization");
  for (const weight of model.weights) {
    const kind = weight.originalName.split("/").at(-1)!;
    if (!["gamma", "beta", "bias"].includes(kind)) continue;
    const isOfNorm = norms.some((norm) => norm.weights.includes(weight));
    const [low, high] = kind === "gamma" ? [0.5, 1.2] : isOfNorm ? [0.3, 0.9] : [-0.1, 0.1];
    const length = weight.shape.reduce<number>((product, size) => product * size!, 1);
    const values = tf.tensor(uniformValues(length, low, high, hashText(weight.originalName)), weight.shape as number[]);
    weight.write(values);
    values.dispose();
  }
  // One call that takes over the statistics, by norms alone: dropout stays off.
  const calls = norms.map((norm) => {
    const settings = norm as unknown as { momentum: number };
    const before = settings.momentum;
    const call = norm.call.bind(norm);
    settings.momentum = 0;
    norm.call = (inputs, kwargs) => call(inputs, { ...kwargs, training: true });
    return () => {
      settings.momentum = before;
      Reflect.deleteProperty(norm, "call");
    };
  });
  tf.dispose(model.predict(images));
  for (const restore of calls) restore();
}

/** How far the logits of the two images are from each other, as a share of the largest. */
function spreadOf(logits: Float32Array): number {
  const [half, largest] = [logits.length / 2, logits.reduce((most, value) => Math.max(most, Math.abs(value)), 0)];
  return logits.slice(half).reduce((most, value, i) => Math.max(most, Math.abs(value - logits[i]!)), 0) / largest;
}

function difference(
  expected: Float32Array,
  { outputs: [found] }: { readonly outputs: readonly Float32Array[] },
): string {
  if (found?.length !== expected.length) return `WRONG ${found?.length} numbers, wanted ${expected.length}`;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!) || 0), 0);
  const isNumber = found.every(Number.isFinite);
  return isNumber && worst <= bound * largest
    ? `ok ${(worst / largest).toExponential(1)}`
    : `WRONG off by ${worst} of ${largest}`;
}

const reader = fork(new URL("stock-reader.ts", import.meta.url), [process.env["BACKEND"] ?? "wasm"], {
  execArgv: ["--import", "tsx"],
  serialization: "advanced",
});
await once(reader, "message");
await useEngine("native", { threads: 2 });
const folder = mkdtempSync(join(tmpdir(), "convkit-stock-"));
const counts = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, 0]));
for (const name of names) {
  const { input } = findArchitecture(name);
  // Neither square nor a multiple of 32 where the network takes any size.
  const size = input[0]! > 64 ? ([97, 113, 3] as const) : input;
  const model = createModel(name, { input: size, logits: true, seed: 1 });
  const shape = [2, ...size];
  const values = uniformValues(
    shape.reduce((product, each) => product * each, 1),
    -1,
    1,
    hashText(name),
  );
  const images = tf.tensor(values, shape);
  setStatistics(model, images);
  const expected = tf.tidy(() => (model.predict(images) as tf.Tensor).dataSync()) as Float32Array;
  images.dispose();
  const spread = spreadOf(expected);
  if (!(spread > 0.02)) process.stdout.write(`${name}: the logits hardly depend on the image (${spread})\n`);
  for (const [kind, options] of Object.entries(kinds)) {
    const { format } = options;
    const path = join(folder, format);
    let text: string;
    try {
      await saveModel(model, path, options);
      const request: StockRequest = { path: join(path, "model.json"), format, shape, values };
      reader.send(request);
      const [answer] = (await once(reader, "message")) as [StockAnswer];
      text = "error" in answer ? `unread ${answer.error}` : difference(expected, answer);
    } catch (error) {
      text = `refused ${(error as Error).message}`;
    }
    if (text.startsWith("ok")) counts[kind]!++;
    process.stdout.write(`${name} ${kind}: ${text.replaceAll(/\s+/g, " ").slice(0, 300)}\n`);
    rmSync(path, { recursive: true, force: true });
  }
  model.dispose();
  tf.disposeVariables();
}
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`equal of ${names.length}: ${JSON.stringify(counts)}\n`);
process.exit(0);
