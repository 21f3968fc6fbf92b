import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Preprocessing } from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { writeFileAtomic } from "@convkit/files";
import type { JsonValue } from "@convkit/files";
import { TrainerError } from "../trainer-error.ts";

/** What a saved model says about itself beside its weights, so that it can be used without its training. */
export interface ModelMetadata {
  readonly name: string;
  readonly classes: readonly string[];
  readonly preprocessing: Preprocessing;
}

/** A model from disk; `metadata` is missing where another program wrote it. */
export interface LoadedModel {
  readonly model: tfl.LayersModel;
  readonly metadata: ModelMetadata | undefined;
}

interface ModelJson {
  readonly modelTopology: object;
  readonly format?: string;
  readonly weightsManifest: { readonly paths: string[]; readonly weights: tf.io.WeightsManifestEntry[] }[];
  readonly userDefinedMetadata?: { readonly convkit?: ModelMetadata & { [key: string]: JsonValue } };
}

/**
 * Writes `model.json` and its weights into `folder` as TensorFlow.js' layers format. Whoever reads meanwhile, or after
 * a crash, finds the old model or the new one, whole: the weights' file is named by its content and `model.json` comes last.
 * Older weights go, unless `keep` names their file. Returns the name of the file of weights.
 */
export async function saveModel(
  model: tfl.LayersModel,
  folder: string,
  metadata: ModelMetadata,
  { keep }: { readonly keep?: string | undefined } = {},
): Promise<string> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  const handler = async (made: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> => {
    artifacts = made;
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
  };
  await model.save({ save: handler });
  const { modelTopology, weightSpecs = [], weightData } = artifacts!;
  const parts = [weightData ?? []].flat().map((buffer) => new Uint8Array(buffer));
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  const weightsName = `weights-${hash.digest("hex").slice(0, 12)}.bin`;
  await writeFileAtomic(join(folder, weightsName), parts);
  const json = {
    format: "layers-model",
    generatedBy: "convkit",
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: [weightsName], weights: weightSpecs }],
    userDefinedMetadata: { convkit: metadata },
  };
  await writeFileAtomic(join(folder, "model.json"), JSON.stringify(json));
  await pruneWeights(folder, [weightsName, keep]);
  return weightsName;
}

/** Removes the files of weights that are not named. */
export async function pruneWeights(folder: string, kept: readonly (string | undefined)[]): Promise<void> {
  for (const name of await readdir(folder))
    if (/^weights-[0-9a-f]{12}\.bin$/.test(name) && !kept.includes(name)) await rm(join(folder, name));
}

/**
 * Reads a layers model from a `model.json` or the folder that holds one, with the weights of the file `weightsName` beside
 * it if given; throws `TrainerError` where it is not whole.
 */
export async function loadModel(
  path: string,
  { weightsName }: { readonly weightsName?: string | undefined } = {},
): Promise<LoadedModel> {
  const { json, weights } = await readModelFiles(path, weightsName);
  const artifacts: tf.io.ModelArtifacts = {
    modelTopology: json.modelTopology,
    weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
    weightData: weights,
  };
  const model = await tfl.loadLayersModel(tf.io.fromMemory(artifacts));
  return { model, metadata: json.userDefinedMetadata?.convkit };
}

async function readModelFiles(
  path: string,
  weightsName: string | undefined,
): Promise<{ json: ModelJson; weights: ArrayBuffer[] }> {
  const file = (await stat(path)).isDirectory() ? join(path, "model.json") : path;
  const json = JSON.parse(await readFile(file, "utf8")) as Partial<ModelJson>;
  if (
    json.modelTopology === undefined ||
    json.weightsManifest === undefined ||
    (json.format ?? "layers-model") !== "layers-model"
  )
    throw new TrainerError(`${file} must be a TensorFlow.js layers model, with modelTopology and weightsManifest.`);
  const weights: ArrayBuffer[] = [];
  const names = weightsName === undefined ? json.weightsManifest.flatMap((group) => group.paths) : [weightsName];
  for (const name of names) {
    const bytes = await readFile(join(dirname(file), name));
    weights.push(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
  }
  const wanted = json.weightsManifest.flatMap((group) => group.weights).reduce((sum, spec) => sum + bytesOf(spec), 0);
  const found = weights.reduce((sum, part) => sum + part.byteLength, 0);
  if (found !== wanted)
    throw new TrainerError(`${file} describes ${wanted} bytes of weights but its files hold ${found}.`);
  return { json: json as ModelJson, weights };
}

function bytesOf({ shape, dtype, quantization }: tf.io.WeightsManifestEntry): number {
  const width = quantization === undefined ? (dtype === "bool" ? 1 : 4) : quantization.dtype === "uint8" ? 1 : 2;
  return shape.reduce((product, size) => product * size, width);
}
