import { useEngine } from "@convkit/engine";
import { WeightsError, loadModel, loadWeights, saveModel, saveNpy } from "@convkit/weights";
import type { ModelFormat } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readArray } from "./read-array.ts";

/**
 * Writes every model file of a folder in every format, with inputs and outputs at batches of 1, 2 and 7 samples, for
 * `read-files.ts` and `python/written_files.py`. Arguments: a folder with `cases.json`, the folder to fill, names of cases.
 */
const [from, to, ...only] = process.argv.slice(2) as [string, string, ...string[]];

interface Case {
  readonly id: string;
  readonly file: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly zoo?: string;
  readonly refuse: boolean;
  readonly tolerance: number;
}

const batches = [1, 2, 7];
const chosen = process.env["FORMATS"]?.split(",");
const formats: readonly (readonly [suffix: string, format: ModelFormat])[] = [
  [".keras", "keras"],
  [".h5", "h5"],
  [".onnx", "onnx"],
  [".savedmodel", "savedmodel"],
  [".tfjs", "tfjs"],
  [".graph", "tfjs-graph"],
  [".safetensors", "safetensors"],
];

/** The samples again and again, each time a little smaller. */
function sized(x: tf.Tensor, batch: number, dtype: string): tf.Tensor {
  return tf.tidy(() => {
    const rows = tf.unstack(x);
    const scaled = Array.from({ length: batch }, (_, i) =>
      dtype === "int32"
        ? rows[i % rows.length]!
        : tf.mul(rows[i % rows.length]!, 1 - 0.03 * Math.floor(i / rows.length)),
    );
    return tf.cast(tf.stack(scaled), dtype as "float32");
  });
}

async function save(path: string, tensor: tf.Tensor): Promise<void> {
  saveNpy(path, { shape: tensor.shape, data: tf.cast(tensor, "float32").dataSync() as Float32Array });
}

const predict = (model: tfl.LayersModel, inputs: tf.Tensor[]): tf.Tensor[] =>
  [model.predict(inputs.length === 1 ? inputs[0]! : inputs, { batchSize: 64 })].flat();

async function write(entry: Case): Promise<Record<string, unknown> | undefined> {
  if (entry.refuse || entry.zoo !== undefined) return undefined;
  let model: tfl.LayersModel;
  const inputs: tf.Tensor[][] = [];
  try {
    model = await loadModel(join(from, entry.file));
    const given = await Promise.all(entry.inputs.map((name) => readArray(join(from, name))));
    for (const batch of batches) inputs.push(given.map((x, i) => sized(x, batch, model.inputs[i]!.dtype)));
    for (const [b, xs] of inputs.entries()) {
      for (const [i, x] of xs.entries()) await save(join(to, `${entry.id}.b${batches[b]}.x${i}.npy`), x);
      for (const [i, y] of predict(model, xs).entries())
        await save(join(to, `${entry.id}.b${batches[b]}.y${i}.npy`), y);
    }
  } catch (error) {
    return { notRead: (error as Error).message };
  }
  const written: Record<string, string> = {};
  for (const [suffix, format] of formats) {
    if (chosen !== undefined && !chosen.includes(format)) continue;
    try {
      const { needs } = await saveModel(model, join(to, `${entry.id}${suffix}`), { format });
      written[format] = needs === undefined ? "written" : `needs ${needs.join(", ")}`;
      if (format === "safetensors") {
        const before = predict(model, inputs[1]!);
        for (const variable of model.weights) variable.write(tf.zerosLike(variable.read()));
        await loadWeights(model, join(to, `${entry.id}${suffix}`));
        const after = predict(model, inputs[1]!);
        const worst = Math.max(
          ...before.map(
            (y, i) => tf.max(tf.abs(tf.sub(tf.cast(y, "float32"), tf.cast(after[i]!, "float32")))).dataSync()[0] ?? 0,
          ),
        );
        if (!(worst < 1e-6)) written[format] = `WRONG read back off by ${worst}`;
      }
    } catch (error) {
      const text = (error as Error).message.replaceAll(to, "").replaceAll(/\s+/g, " ");
      written[format] = error instanceof WeightsError ? `refused ${text}` : `crash ${(error as Error).stack}`;
    }
  }
  const about = {
    inputs: model.inputs.map(({ dtype, sourceLayer }) => ({ dtype, name: sourceLayer.name })),
    outputs: model.outputs.length,
    tolerance: entry.tolerance,
    written,
  };
  model.dispose();
  return about;
}

await useEngine((process.env["ENGINE"] ?? "native") as "native", { threads: 2 });
mkdirSync(to, { recursive: true });
const entries = (JSON.parse(readFileSync(join(from, "cases.json"), "utf8")) as Case[]).filter(
  ({ id }) => only.length === 0 || only.includes(id),
);
const report: Record<string, unknown> = {};
for (const entry of entries) {
  tf.engine().startScope();
  const about = await write(entry);
  tf.engine().endScope();
  if (about !== undefined) report[entry.id] = about;
}
writeFileSync(join(to, "written.json"), JSON.stringify(report, null, 1));
process.exit(0);
