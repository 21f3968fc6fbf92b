import { useEngine } from "@convkit/engine";
import { zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawnNetwork } from "./drawn-network.ts";
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
  const { model, shape, values, logits: expected, spread } = drawnNetwork(name);
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
