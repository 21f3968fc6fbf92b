// Not tfjs' other entries: this program must know stock classes only, and none of convkit's packages.
import "@tensorflow/tfjs-backend-cpu";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stockFolder } from "./stock-folder.ts";

/**
 * Reads the tfjs folders that `write-files.ts` wrote with stock tfjs on its cpu backend. Arguments: the folder, names of
 * cases. Prints a line a fault, then counts.
 */
const [folder, ...only] = process.argv.slice(2) as [string, ...string[]];

interface Case {
  readonly inputs: readonly { readonly dtype: "float32" | "int32" }[];
  readonly outputs: number;
  readonly tolerance: number;
  readonly written: Readonly<Record<string, string>>;
}

function array(path: string, dtype: "float32" | "int32" = "float32"): tf.Tensor {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString("latin1", 0, start);
  const shape = /'shape': \(([^)]*)\)/
    .exec(header)![1]!
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map(Number);
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
  return tf.cast(tf.tensor(data, shape), dtype);
}

function wrong(found: readonly tf.Tensor[], name: string, batch: number, tolerance: number): string | undefined {
  for (const [index, y] of found.entries()) {
    const wanted = array(join(folder, `${name}.b${batch}.y${index}.npy`));
    if (String(y.shape) !== String(wanted.shape)) return `shape [${y.shape}], wanted [${wanted.shape}]`;
    const [a, b] = [tf.cast(y, "float32").dataSync(), wanted.dataSync()];
    let [worst, largest] = [0, 1];
    for (const [i, value] of a.entries()) {
      if (Number.isNaN(value) && Number.isNaN(b[i]!)) continue;
      worst = Math.max(worst, Number.isNaN(value - b[i]!) ? Infinity : Math.abs(value - b[i]!));
      largest = Math.max(largest, Math.abs(b[i]!));
    }
    if (worst > tolerance * largest) return `batch ${batch}: off by ${worst} of ${largest}`;
  }
  return undefined;
}

async function read(name: string, kind: string, { inputs, outputs, tolerance }: Case): Promise<string> {
  const path = join(folder, `${name}.${kind === "tfjs" ? "tfjs" : "graph"}`, "model.json");
  const model =
    kind === "tfjs" ? await tfl.loadLayersModel(stockFolder(path)) : await loadGraphModel(stockFolder(path));
  for (const batch of [1, 2, 7]) {
    const given = inputs.map(({ dtype }, i) => array(join(folder, `${name}.b${batch}.x${i}.npy`), dtype));
    const results = [model.predict(given.length === 1 ? given[0]! : given)].flat() as tf.Tensor[];
    if (results.length !== outputs) return `WRONG ${results.length} outputs, wanted ${outputs}`;
    const problem = wrong(results, name, batch, Math.max(1e-4, tolerance));
    if (problem !== undefined) return `WRONG ${problem}`;
  }
  return "ok";
}

await tf.setBackend("cpu");
const report = JSON.parse(readFileSync(join(folder, "written.json"), "utf8")) as Record<string, Case>;
const counts: Record<string, Record<string, number>> = {};
for (const [name, about] of Object.entries(report)) {
  if (about.written === undefined || (only.length > 0 && !only.includes(name))) continue;
  for (const kind of ["tfjs", "tfjs-graph"]) {
    const verdict = about.written[kind];
    if (verdict === undefined || !existsSync(folder)) continue;
    tf.engine().startScope();
    const text =
      verdict === "written"
        ? await read(name, kind, about).catch((error: unknown) => `unread ${(error as Error).message.slice(0, 200)}`)
        : verdict;
    tf.engine().endScope();
    (counts[kind] ??= {})[text.split(" ")[0]!] = (counts[kind]![text.split(" ")[0]!] ?? 0) + 1;
    if (text !== "ok") process.stdout.write(`${name} ${kind}: ${text.replaceAll(/\s+/g, " ").slice(0, 400)}\n`);
  }
}
process.stdout.write(`${JSON.stringify(counts)}\n`);
process.exit(0);
