import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { saveModel as saveTfjs } from "@convkit/trainer";
import { saveModel } from "@convkit/weights";
import type { Context } from "./context.ts";
import { engineInUse } from "./engine-in-use.ts";
import { bytes as sized, grouped } from "./format.ts";
import { type ModelOptions, resolveModel } from "./resolve-model.ts";
import { UsageError } from "./usage-error.ts";
import { userPath } from "./user-path.ts";

interface Options extends ModelOptions {
  readonly to?: "tfjs";
}

const endings = [".keras", ".h5", ".hdf5", ".weights.h5", ".safetensors", ".onnx"] as const;

/** `convkit convert`: a model in another format, chosen by the ending. */
export async function convert(context: Context, name: string, out: string, options: Options): Promise<void> {
  const folder = out.endsWith("/");
  if (folder && options.to !== "tfjs") throw new UsageError(`Say what to write into the folder ${out}: --to tfjs.`);
  if (!folder && !endings.some((ending) => out.toLowerCase().endsWith(ending)))
    throw new UsageError(
      `Cannot tell the format of ${out}: it must end in ${endings.join(", ")}, or in / with --to tfjs.`,
    );
  const path = userPath(out);
  if (existsSync(path)) throw new UsageError(`${out} is there already: remove it, or give another name.`);
  await engineInUse(context);
  const { model, classes, preprocessing, name: modelName } = await resolveModel(name, options, context.options.seed);
  const tensors = model.weights.length;
  let size: number;
  if (folder) {
    await saveTfjs(model, path, { name: modelName, classes: classes ?? [], preprocessing });
    size = await folderBytes(path);
  } else {
    size = (await saveModel(model, path)).bytes;
  }
  context.out.result({ written: path, bytes: size, tensors }, `${out}: ${sized(size)}, ${grouped(tensors)} tensors`);
}

async function folderBytes(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
