import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { saveModel as saveTfjs } from "@convkit/trainer";
import { saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Context } from "./context.ts";
import { engineInUse } from "./engine-in-use.ts";
import { bytes as sized, grouped } from "./format.ts";
import { type ModelOptions, resolveModel } from "./resolve-model.ts";
import { UsageError } from "./usage-error.ts";
import { userPath } from "./user-path.ts";

interface Options extends ModelOptions {
  readonly to?: "tfjs" | "savedmodel";
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
  const engine = await engineInUse(context);
  if (options.to === "savedmodel" && engine.backend !== "tensorflow")
    throw new UsageError(
      `--to savedmodel needs TensorFlow, and the ${engine.name} engine has none: convkit engine install.`,
    );
  const { model, classes, preprocessing, name: modelName } = await resolveModel(name, options, context.options.seed);
  const tensors = model.weights.length;
  let size: number;
  if (folder && options.to === "savedmodel") {
    await saveSavedModel(model, path);
    size = await folderBytes(path);
  } else if (folder) {
    await saveTfjs(model, path, { name: modelName, classes: classes ?? [], preprocessing });
    size = await folderBytes(path);
  } else {
    size = (await saveModel(model, path)).bytes;
  }
  context.out.result({ written: path, bytes: size, tensors }, `${out}: ${sized(size)}, ${grouped(tensors)} tensors`);
}

/** Writes the forward pass as TensorFlow's own format, for any batch size. */
async function saveSavedModel(model: LayersModel, folder: string): Promise<void> {
  const { compile } = await import("@convkit/graph");
  const forward = compile((images: tf.Tensor) => [model.apply(images, { training: false })].flat()[0] as tf.Tensor);
  const shape = model.inputs[0]!.shape.map((size, axis) => size ?? (axis === 0 ? 2 : 224));
  try {
    await forward.savedModel(folder, [tf.zeros(shape)]);
  } finally {
    await forward.dispose();
  }
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
