import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { saveModel as saveTfjs } from "@convkit/trainer";
import { readyToVerify, saveModel, verifySaved } from "@convkit/weights";
import type { SaveReport, WeightRow } from "@convkit/weights";
import type { Context } from "../terminal/context.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { bytes as sized, grouped } from "../terminal/format.ts";
import { type ModelOptions, resolveModel } from "../inputs/model-source.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";

interface Options extends ModelOptions {
  readonly to?: "tfjs" | "savedmodel";
  readonly verify?: boolean;
}

const endings = [".keras", ".h5", ".hdf5", ".weights.h5", ".safetensors", ".onnx"] as const;

/** `convkit convert`: a model in another format, chosen by the ending. */
export async function convert(context: Context, name: string, out: string, options: Options): Promise<void> {
  const folder = out.endsWith("/");
  if (folder && options.to === undefined)
    throw new UsageError(`Say what to write into the folder ${out}: --to tfjs or --to savedmodel.`);
  if (!folder && !endings.some((ending) => out.toLowerCase().endsWith(ending)))
    throw new UsageError(
      `Cannot tell the format of ${out}: it must end in ${endings.join(", ")}, or in / with --to tfjs or --to savedmodel.`,
    );
  const path = userPath(out);
  if (existsSync(path)) throw new UsageError(`${out} is there already: remove it, or give another name.`);
  if (options.verify === true && /\.onnx$/i.test(out)) await readyToVerify({ path, format: "onnx" });
  const engine = await engineInUse(context);
  if (options.to === "savedmodel" && engine.backend !== "tensorflow")
    throw new UsageError(
      `--to savedmodel needs TensorFlow, and the ${engine.name} engine has none: convkit engine install.`,
    );
  const { model, classes, preprocessing, name: modelName } = await resolveModel(name, options, context.options.seed);
  const tensors = model.weights.length;
  let format: SaveReport["format"] = "tfjs";
  let size: number;
  if (options.to === "tfjs") {
    await saveTfjs(model, path, { name: modelName, classes: classes ?? [], preprocessing });
    size = await folderBytes(path);
  } else {
    ({ format, bytes: size } = await saveModel(model, path, {
      metadata: { name: modelName, ...(classes !== undefined && { classes }), preprocessing },
      ...(folder && { format: "savedmodel" as const }),
    }));
  }
  const report = { written: path, bytes: size, tensors };
  const line = `${out}: ${sized(size)}, ${grouped(tensors)} tensors`;
  if (options.verify !== true) return context.out.result(report, line);
  const { worst, weights } = await verifySaved(model, { path, format });
  context.out.result(
    { ...report, worst, weights },
    [weightTable(weights), `${line}; read back, outputs differ by at most ${worst}`].join("\n"),
  );
}

/** One line a weight: its name, its shape, how far it is from the one that was read back. */
function weightTable(weights: readonly WeightRow[]): string {
  const width = Math.max(...weights.map(({ name }) => name.length));
  return weights
    .map(({ name, shape, worst }) => `${name.padEnd(width)}  ${shape.join("x").padEnd(16)}  ${worst ?? ""}`)
    .join("\n");
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
