import { useEngine } from "@convkit/engine";
import { peerPython } from "@convkit/testing";
import { loadModel, WeightsError } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readArray } from "./read-array.ts";

/*
 * files.ts [keras|tf_keras] [--count N] [--seed S] [--engine native|wasm] [--folder F]: random models that Keras wrote as .keras and .h5 must give
 * Keras' numbers here, or be refused by a sentence. Keeps the files in the folder, if one is given. Ends with 1 if a file gave other
 * numbers or failed otherwise. tf_keras must be in the peers' environment or on PYTHONPATH.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    engine: { type: "string", default: "native" },
    folder: { type: "string" },
  },
});

interface Case {
  readonly id: string;
  readonly file: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly tolerance: number;
}

if (peerPython === undefined) throw new Error("The peers' Python environment is not there: run `pnpm bench setup`.");
const folder = values.folder ?? mkdtempSync(join(tmpdir(), "convkit-files-"));
const script = fileURLToPath(new URL("../python/random_models.py", import.meta.url));
const args = [script, positionals[0] ?? "keras", folder, values.seed, values.count];
const { status } = spawnSync(peerPython, args, { stdio: ["ignore", "ignore", "ignore"] });
if (status !== 0) throw new Error(`Python ended with ${status}: python ${args.join(" ")}`);

async function verdict({ file, inputs, outputs, tolerance }: Case): Promise<string> {
  const model = await loadModel(join(folder, file)).catch((error: unknown) => error as Error);
  if (model instanceof WeightsError) return `refused ${model.message}`;
  if (model instanceof Error) return `CRASH ${model.stack ?? model.message}`;
  const given = await Promise.all(inputs.map((name) => readArray(join(folder, name))));
  const found = [model.predict(given)].flat() as tf.Tensor[];
  if (found.length !== outputs.length) return `WRONG ${found.length} outputs, not ${outputs.length}`;
  for (const [place, name] of outputs.entries()) {
    const wanted = await readArray(join(folder, name));
    if (String(found[place]!.shape) !== String(wanted.shape)) return `WRONG shape ${found[place]!.shape}`;
    // Outputs near zero are differences of larger numbers, which round by more than their size says.
    const scale = Math.max(0.01, tf.max(tf.abs(wanted)).dataSync()[0]!);
    const off = tf.max(tf.abs(tf.sub(found[place]!, wanted))).dataSync()[0]!;
    if (!(off <= tolerance * scale)) return `WRONG off by ${off} of ${scale}`;
  }
  model.dispose();
  return "equal";
}

await useEngine(values.engine as "native", { threads: 1 });
const counts: Record<string, number> = {};
for (const each of JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")) as Case[]) {
  tf.engine().startScope();
  const said = await verdict(each).catch((error: unknown) => `CRASH ${(error as Error).message}`);
  tf.engine().endScope();
  const [word] = said.split(" ") as [string];
  counts[word] = (counts[word] ?? 0) + 1;
  if (word !== "equal") process.stdout.write(`${each.id}: ${said.slice(0, 400)}\n`);
  if (word === "WRONG" || word === "CRASH") process.exitCode = 1;
}
process.stdout.write(`${JSON.stringify(counts)}\n`);
if (values.folder === undefined) rmSync(folder, { recursive: true });
process.exit();
