import { useEngine } from "@convkit/engine";
import { zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { loadModel, saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawnNetwork } from "./drawn-network.ts";

/**
 * Writes every network of the zoo as ONNX and reads the file again. The logits of what was read must agree with the network's to
 * 1e-4 of the largest, and so must those of what is written from it and read a second time. Arguments: names of networks.
 */
const names = (process.argv.length > 2 ? process.argv.slice(2) : Object.keys(zoo)) as ModelName[];
const bound = 1e-4;
await useEngine("native", { threads: 2 });
const folder = mkdtempSync(join(tmpdir(), "convkit-onnx-zoo-"));
const wrong: string[] = [];
for (const name of names) {
  const { model, shape, values, logits, spread } = drawnNetwork(name);
  if (!(spread > 0.02)) process.stdout.write(`${name}: the logits hardly depend on the image (${spread})\n`);
  const found: string[] = [];
  let last = model;
  try {
    for (const file of ["once.onnx", "twice.onnx"]) {
      await saveModel(last, join(folder, file));
      last.dispose();
      last = await loadModel(join(folder, file));
      const images = tf.tensor(values, [...shape]);
      const output = last.predict(images) as tf.Tensor;
      const got = output.dataSync();
      tf.dispose([images, output]);
      const largest = logits.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const worst = logits.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0) / largest;
      const isEqual = got.length === logits.length && got.every(Number.isFinite) && worst <= bound;
      found.push(`${file} ${isEqual ? "ok" : "WRONG"} ${worst.toExponential(1)}`);
    }
  } catch (error) {
    found.push(`refused ${(error as Error).message.replaceAll(/\s+/g, " ").slice(0, 300)}`);
  }
  if (!found.every((text) => text.includes(" ok "))) wrong.push(name);
  process.stdout.write(`${name}: ${found.join(", ")}\n`);
  last.dispose();
  tf.disposeVariables();
}
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`equal: ${names.length - wrong.length} of ${names.length}\n`);
process.exit(wrong.length > 0 ? 1 : 0);
