import { evaluator } from "@convkit/core/internal";
import { loadSavedModel } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { join } from "node:path";
import { endsIn, logitsOf } from "./logits.ts";
import { loadModel, loadWeights } from "../load/load-model.ts";
import { gradCamOf } from "../formats/onnx/grad-cam.ts";
import { onnxRuntime, openOnnx } from "../formats/onnx/run.ts";
import { hasStockTfjs, needStockTfjs, openStockTfjs } from "./stock-tfjs.ts";
import type { Runner } from "../formats/onnx/run.ts";
import type { SaveReport } from "../save/save-model.ts";
import { signatureNames } from "../formats/saved-model.ts";
import { neededBeyondStock } from "../formats/tfjs/needs.ts";

/** One weight of the model and, with `verify`, its difference from the saved weight. */
export interface WeightRow {
  readonly name: string;
  readonly shape: readonly (number | null)[];
  /** Missing for ONNX, SavedModel, graph models and stock layers, of which only outputs are compared. */
  readonly worst?: number;
}

/** The result of reading a saved model back. */
export interface Verification {
  readonly weights: WeightRow[];
  /** The worst difference of the outputs over the probe inputs. */
  readonly worst: number;
  /**
   * The worst difference of the logits, relative to the largest logit. A final softmax or sigmoid hides such
   * differences. For other outputs, the worst difference of the outputs, relative to the largest; for an output `grad_cam`
   * the worst difference of the images that have the same most likely class in both.
   */
  readonly relative: number;
  /** Whether `relative` is at most 1e-3. Float32 rounding stays far below that. */
  readonly holds: boolean;
}

const relativeBound = 1e-3;

/**
 * Reads a saved model back and compares it with the original: each weight, and the outputs over a probe input.
 * TensorFlow runs a SavedModel, ONNX Runtime (the package onnxruntime-node) an ONNX file and stock tfjs (the package
 * tfjs-converter and a backend) a graph model; for these only outputs are compared. Throws if the runtime is missing. A
 * layers model of tfjs that needs no class of this package runs in stock tfjs too, where a backend of it is installed; of
 * one that was saved with `stock`, only outputs are compared.
 */
export async function verifySaved(
  model: tfl.LayersModel,
  { path, format, stock: inStockLayers, gradCam }: Pick<SaveReport, "path" | "format" | "stock" | "gradCam">,
): Promise<Verification> {
  if (format === "onnx")
    return verifyOutputs(model, await openOnnx(path), gradCam === undefined ? undefined : heatOf(model, path, gradCam));
  if (format === "savedmodel") return verifyOutputs(model, await openSavedModel(model, path));
  if (format === "tfjs-graph") return verifyOutputs(model, openStockTfjs(path, format));
  if (inStockLayers === true)
    return verifyOutputs(model, hasStockTfjs("tfjs") ? openStockTfjs(path, "tfjs") : await openHere(path));
  const before = new Map(model.weights.map((variable) => [variable, variable.read().clone()]));
  const probes = model.inputs.map(probeInput);
  try {
    const expected = outputsOf(model, probes);
    const stock = format === "tfjs" ? await inStockTfjs(model, path, probes, expected) : undefined;
    const again = await reopened(model, path, format);
    const results = outputsOf(again, probes);
    const differences = compared(model, expected, results);
    const weights = model.weights.map((variable, index): WeightRow => {
      const other = again === model ? variable : again.weights[index]!;
      return {
        name: variable.originalName,
        shape: variable.shape,
        worst: worstOf(before.get(variable)!, other.read()),
      };
    });
    tf.dispose([expected, results]);
    if (again !== model) again.dispose();
    return { weights, ...worse(differences, stock) };
  } finally {
    tf.dispose([probes, ...before.values()]);
  }
}

type Differences = Pick<Verification, "worst" | "relative" | "holds">;

/** Runs a layers model in stock tfjs; undefined if it is not installed, or if the model has layers that stock tfjs lacks. */
async function inStockTfjs(
  model: tfl.LayersModel,
  path: string,
  probes: readonly tf.Tensor[],
  expected: readonly tf.Tensor[],
): Promise<Differences | undefined> {
  if (!hasStockTfjs("tfjs") || neededBeyondStock(model).length > 0) return undefined;
  const results = await openStockTfjs(path, "tfjs").run(probes);
  const differences = compared(model, expected, results);
  tf.dispose(results);
  return differences;
}

function worse(a: Differences, b: Differences | undefined): Differences {
  if (b === undefined) return a;
  return { worst: Math.max(a.worst, b.worst), relative: Math.max(a.relative, b.relative), holds: a.holds && b.holds };
}

/** Throws if the runtime that verifies this format is not installed. Call it before writing the file. */
export async function readyToVerify({ path, format }: Pick<SaveReport, "path" | "format">): Promise<void> {
  if (format === "onnx") await onnxRuntime(path);
  if (format === "tfjs-graph") needStockTfjs(path);
}

async function verifyOutputs(
  model: tfl.LayersModel,
  again: Runner,
  heat?: (probe: tf.Tensor) => tf.Tensor,
): Promise<Verification> {
  const probes = model.inputs.map(probeInput);
  const expected = outputsOf(model, probes);
  let results: tf.Tensor[] = [];
  try {
    results = await again.run(probes);
    const weights = model.weights.map(({ originalName: name, shape }) => ({ name, shape }));
    const differences = compared(model, expected, results);
    if (heat === undefined) return { weights, ...differences };
    const middle = endsIn(model.outputs[0]!) === "sigmoid" ? 0.5 : 0;
    const heats = tf.tidy(() =>
      comparedHeats([expected[0]!, heat(probes[0]!)], [results[0]!, results.at(-1)!], middle),
    );
    return { weights, ...worse(differences, heats) };
  } finally {
    tf.dispose([probes, expected, results]);
    await again.dispose();
  }
}

/** Grad-CAM of a batch of images, as `saveModel` writes it. */
function heatOf(model: tfl.LayersModel, path: string, layer: true | string): (images: tf.Tensor) => tf.Tensor {
  const { map, fromMap } = gradCamOf(model, path, layer === true ? undefined : layer);
  return (images) => fromMap(evaluator(model, images)(map.position));
}

/** Compares the maps of the images whose most likely class is the same in both. A single score above `middle` is class 1. */
function comparedHeats(
  [scores, heat]: readonly [tf.Tensor, tf.Tensor],
  [otherScores, otherHeat]: readonly [tf.Tensor, tf.Tensor],
  middle: number,
): Differences {
  const classes = (values: tf.Tensor): tf.Tensor => {
    const rows = tf.reshape(values, [values.shape[0]!, -1]);
    return rows.shape[1] === 1 ? tf.cast(tf.greater(rows, middle), "int32") : tf.expandDims(tf.argMax(rows, 1), 1);
  };
  const alike = tf.cast(tf.equal(classes(scores), classes(otherScores)), "float32");
  const same = tf.reshape(alike, [-1, 1, 1]);
  const [own, other] = [tf.mul(heat, same), tf.mul(otherHeat, same)];
  const worst = worstOf(own, other);
  const relative = worst / Math.max(tf.max(own).dataSync()[0]!, Number.MIN_VALUE);
  return { worst, relative: worst === 0 ? 0 : relative, holds: worst === 0 || relative <= relativeBound };
}

async function openSavedModel(model: tfl.LayersModel, path: string): Promise<Runner> {
  const loaded = await loadSavedModel(path);
  return {
    async run(inputs) {
      const named = signatureNames(model.inputs).map((name, index) => [name, inputs[index]!] as const);
      const results = await loaded(Object.fromEntries(named));
      return signatureNames(model.outputs).map((name) => results[name]!.tensor());
    },
    dispose: () => loaded.dispose(),
  };
}

/** A folder of stock layers has other weights than the model, so only its outputs are compared. */
async function openHere(path: string): Promise<Runner> {
  const model = await loadModel(join(path, "model.json"));
  return {
    run: (inputs) => Promise.resolve(outputsOf(model, [...inputs])),
    dispose: () => {
      model.dispose();
      return Promise.resolve();
    },
  };
}

/** Loads a saved model. For a file of weights alone, loads the weights into `model` and returns it. */
async function reopened(model: tfl.LayersModel, path: string, format: SaveReport["format"]): Promise<tfl.LayersModel> {
  if (format === "keras" || format === "h5") return loadModel(path);
  if (format === "tfjs") return loadModel(join(path, "model.json"));
  await loadWeights(model, path);
  return model;
}

function outputsOf(model: tfl.LayersModel, probes: tf.Tensor[]): tf.Tensor[] {
  return [model.predict(probes.length === 1 ? probes[0]! : probes)].flat();
}

/** Four samples that differ enough to give different classes: weak noise, strong noise, and noise on a slope. */
function probeInput({ shape, dtype }: tfl.SymbolicTensor): tf.Tensor {
  const sizes = shape.map((size, axis) => size ?? (axis === 0 ? 4 : 64));
  return tf.tidy(() => {
    if (dtype === "int32") return tf.cast(tf.floor(tf.randomUniform(sizes, 0, 2, "float32", 7)), "int32");
    const noise = tf.randomUniform(sizes, -1, 1, "float32", 7);
    const strengths = tf.tensor(Array.from({ length: sizes[0]! }, (_, index) => [1, 0.3, 3, 1][index % 4]!));
    const offsets = tf.tensor(Array.from({ length: sizes[0]! }, (_, index) => [0, 0.5, 0, -1][index % 4]!));
    const each = (values: tf.Tensor): tf.Tensor => tf.reshape(values, [sizes[0]!, ...sizes.slice(1).map(() => 1)]);
    return tf.add(tf.mul(noise, each(strengths)), each(offsets));
  });
}

function compared(model: tfl.LayersModel, expected: readonly tf.Tensor[], results: readonly tf.Tensor[]): Differences {
  const worst = Math.max(...expected.map((output, index) => worstOf(output, results[index]!)));
  const relative = Math.max(
    ...expected.map((output, index) =>
      tf.tidy(() => {
        const kind = endsIn(model.outputs[index]!);
        const [own, other] = [logitsOf(output, kind), logitsOf(results[index]!, kind)];
        const largest = tf.max(tf.abs(own)).dataSync()[0]!;
        return worstOf(own, other) / Math.max(largest, Number.MIN_VALUE);
      }),
    ),
  );
  // The comparison is false for NaN.
  return { worst, relative, holds: relative <= relativeBound };
}

function worstOf(a: tf.Tensor, b: tf.Tensor): number {
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0] ?? 0);
}
