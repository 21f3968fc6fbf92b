import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { join } from "node:path";
import type { LoadOptions } from "./load-into.ts";
import { loadModel, loadWeights } from "./load-model.ts";
import { saveModel } from "./save-model.ts";
import type { SaveOptions, SaveReport } from "./save-model.ts";
import { WeightsError } from "./weights-error.ts";

export interface ConvertOptions extends SaveOptions, LoadOptions {
  /** The network that the file's weights belong to, where the file holds no architecture; its weights become the file's. */
  model?: tfl.LayersModel;
  /** Read the result back and compare it with what was written, weight by weight and over a probe input. */
  verify?: boolean;
}

export interface ConvertReport extends SaveReport {
  readonly weights: readonly WeightRow[];
  /** With `verify`: the worst difference of the outputs over the probe input. */
  readonly worst?: number;
}

/** One weight of the model; with `verify` how far it is from the one that was read back. */
export interface WeightRow {
  readonly name: string;
  readonly shape: readonly (number | null)[];
  readonly worst?: number;
}

/**
 * Reads a model and writes it in another format: `convert("a.h5", "b.onnx")`. Weights alone (`.safetensors`, `.pth`, `.weights.h5`)
 * need `model`, the network that they belong to; without `from` the model is written as it is.
 */
export async function convert(
  from: string | undefined,
  to: string,
  options: ConvertOptions = {},
): Promise<ConvertReport> {
  const { model: given, verify = false, ...rest } = options;
  const model = await source(from, to, given, rest);
  try {
    const report = await saveModel(model, to, rest);
    const weights = model.weights.map(({ originalName: name, shape }): WeightRow => ({ name, shape }));
    return verify ? { ...report, ...(await verifySaved(model, report)) } : { ...report, weights };
  } finally {
    if (given === undefined) model.dispose();
  }
}

async function source(
  from: string | undefined,
  to: string,
  given: tfl.LayersModel | undefined,
  options: LoadOptions,
): Promise<tfl.LayersModel> {
  if (from === undefined && given === undefined)
    throw new WeightsError(to, "", "there is nothing to write: expected a file or a model");
  if (given === undefined) return loadModel(from!);
  if (from !== undefined) await loadWeights(given, from, options);
  return given;
}

/** Reads a saved model back and compares it with what was written: each weight, and the outputs over a probe input. */
export async function verifySaved(
  model: tfl.LayersModel,
  { path, format }: Pick<SaveReport, "path" | "format">,
): Promise<{ weights: WeightRow[]; worst: number }> {
  if (format === "onnx")
    throw new WeightsError(path, "", "ONNX files are written, not read: verify this one with onnxruntime");
  const before = new Map(model.weights.map((variable) => [variable, variable.read().clone()]));
  const probe = probeInput(model);
  try {
    const expected = model.predict(probe) as tf.Tensor;
    const again = await reopened(model, path, format);
    const result = again.predict(probe) as tf.Tensor;
    const worst = worstOf(expected, result);
    const weights = model.weights.map((variable, index): WeightRow => {
      const other = again === model ? variable : again.weights[index]!;
      return {
        name: variable.originalName,
        shape: variable.shape,
        worst: worstOf(before.get(variable)!, other.read()),
      };
    });
    tf.dispose([expected, result]);
    if (again !== model) again.dispose();
    return { weights, worst };
  } finally {
    tf.dispose([probe, ...before.values()]);
  }
}

/** The model of a whole file, or the same model with the weights of a file that holds only these. */
async function reopened(model: tfl.LayersModel, path: string, format: SaveReport["format"]): Promise<tfl.LayersModel> {
  if (format === "keras" || format === "h5") return loadModel(path);
  if (format === "tfjs") return loadModel(join(path, "model.json"));
  await loadWeights(model, path);
  return model;
}

function probeInput(model: tfl.LayersModel): tf.Tensor {
  const shape = model.inputs[0]!.shape.map((size, axis) => size ?? (axis === 0 ? 1 : 64));
  return tf.randomUniform(shape, -1, 1, "float32", 7);
}

function worstOf(a: tf.Tensor, b: tf.Tensor): number {
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0] ?? 0);
}
