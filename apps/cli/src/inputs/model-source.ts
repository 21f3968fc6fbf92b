import { existsSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { modelMetadata, preprocessingFor, withoutDrawing } from "@convkit/core";
import type { ImageFit, Preprocessing } from "@convkit/core";
import { OptionError } from "@convkit/errors";
import { createModel, findArchitecture, isModelName, zoo } from "@convkit/models";
import type { PublishedWeights } from "@convkit/weights";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { guess } from "../terminal/guess.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { checkNoZooOptions, type ModelOptions } from "./model-options.ts";
import { loadFitting } from "./fitting-weights.ts";
import { setPreprocessing } from "./preprocessing-option.ts";
import { userCode } from "./user-code.ts";
import { userPath } from "./user-path.ts";

/** A model ready to be used, and what is known about its images and classes. */
export interface ResolvedModel {
  readonly model: LayersModel;
  readonly name: string;
  readonly classes: readonly string[] | undefined;
  readonly preprocessing: Preprocessing;
  /** How image files are decoded to the model's size. */
  readonly images: ImageFit;
  /** True for a network of the zoo with random weights. */
  readonly isUntrained: boolean;
}

/** Receives a sentence about each choice that the reader of a file made. */
type OnNote = (note: string) => void;

/** Loads the model `<model>`: from the zoo, a run directory, or a file. An engine must be in use. */
export async function resolveModel(
  name: string,
  options: ModelOptions,
  seed?: number,
  onNote?: OnNote,
): Promise<ResolvedModel> {
  if (isModelName(name)) {
    const { arch, ...made } = options;
    if (arch !== undefined) throw new UsageError(`--arch is for a file of weights; ${name} is a network of the zoo.`);
    return zooModel(name, made, seed, onNote);
  }
  const path = userPath(name);
  if (!existsSync(path))
    throw new UsageError(
      `Unknown model "${name}": it is neither a file nor a run directory here, and the zoo has ${Object.keys(zoo).join(", ")}.${guess(name, Object.keys(zoo))}`,
    );
  if (options.arch !== undefined) return zooModel(options.arch, { ...options, weights: path }, seed, onNote);
  if (/\.(safetensors|pth|pt|weights\.h5)$/i.test(path))
    throw new UsageError(`${name} holds weights without their network: say which of the zoo it is with --arch.`);
  checkNoZooOptions(name, options);
  const { preprocessing: kind } = options;
  const { loadModel } = await import("@convkit/weights");
  const model = await loadModel(isWhole(path) ? path : modelFile(path), { ...userCode(), onNote });
  if (/\.onnx$/i.test(path) && kind === undefined && modelMetadata(model).preprocessing === undefined)
    onNote?.(
      `${name} does not say how images become its input: they go in as they are, 0 to 255; name it with --preprocessing if it was trained otherwise`,
    );
  setPreprocessing(model, kind);
  const { name: stored, classes, preprocessing = {}, images = {} } = modelMetadata(model);
  return { model, name: stored ?? basename(path), classes, preprocessing, images, isUntrained: false };
}

/** Whether a path is a model as it is: a file of one, or the folder of a SavedModel or of an unpacked `.keras`. */
function isWhole(path: string): boolean {
  if (/\.(h5|hdf5|keras|onnx)$/i.test(path) || existsSync(join(path, "saved_model.pb"))) return true;
  const hasWeights = ["model.weights.h5", "model.weights.json"].some((name) => existsSync(join(path, name)));
  return hasWeights && existsSync(join(path, "config.json"));
}

async function zooModel(name: string, options: ModelOptions, seed?: number, onNote?: OnNote): Promise<ResolvedModel> {
  const { classes, input, top, pooling, aux, weights, state, adaptChannels } = options;
  if (state !== undefined && weights === undefined)
    throw new UsageError(
      "--state is for a file of weights: give the file with --weights, or as the model with --arch.",
    );
  if (!isModelName(name))
    throw new UsageError(
      `Unknown network "${name}": the zoo has ${Object.keys(zoo).join(", ")}.${guess(name, Object.keys(zoo))}`,
    );
  const architecture = findArchitecture(name);
  const make = () =>
    createModel(name, {
      ...(classes !== undefined && { classes }),
      ...(input !== undefined && { input }),
      ...(top === false && { includeTop: false }),
      ...(pooling !== undefined && { pooling }),
      ...(aux === true && { aux }),
      ...(options.dropPath !== undefined && { dropPath: options.dropPath }),
      ...(options.dropBlock !== undefined && { dropBlock: options.dropBlock }),
      ...(seed !== undefined && { seed }),
    });
  const model = weights === undefined ? make() : withoutDrawing(make);
  if (weights !== undefined) {
    const { file, published } = await weightsFile(name, weights, top !== false);
    // A file may have the top that --no-top leaves out.
    const withTop = top === false ? withoutDrawing(() => createModel(name)) : undefined;
    await loadFitting(model, file, { published, adaptChannels, state, withTop, onNote });
    withTop?.dispose();
  }
  const channels = model.inputs[0]!.shape.at(-1) ?? 3;
  setPreprocessing(model, options.preprocessing);
  const { classes: names, preprocessing, images = {} } = modelMetadata(model);
  return {
    model,
    name: architecture.name,
    classes: weights === undefined ? undefined : names,
    preprocessing:
      options.preprocessing === undefined ? preprocessingFor(architecture.preprocessing, channels) : preprocessing!,
    images: options.preprocessing === undefined ? {} : images,
    isUntrained: weights === undefined,
  };
}

/** The file that `--weights` names, or the published file and its description. */
export async function weightsFile(
  name: string,
  weights: string,
  top: boolean,
): Promise<{ file: string; published?: PublishedWeights }> {
  return weights === "imagenet" ? imagenetWeights(name, top) : { file: userPath(weights) };
}

/**
 * Height, width and channels of a model's input. If the model takes any size: the size it was trained on, else 224 by
 * 224.
 */
export function inputOf(model: LayersModel, { size = [224, 224] }: ImageFit): [number, number, number] {
  const [, height, width, channels] = model.inputs[0]!.shape;
  return [height ?? size[0], width ?? size[1], channels ?? 3];
}

/** The published weights of a network, downloaded once. */
async function imagenetWeights(name: string, top: boolean): Promise<{ file: string; published: PublishedWeights }> {
  const { fetchImagenetWeights } = await import("@convkit/weights");
  return fetchImagenetWeights(findArchitecture(name).name, { top }).catch((error: unknown) => {
    throw error instanceof OptionError ? new UsageError(error.message, { cause: error }) : error;
  });
}

/** The `model.json` at a path: the file itself, the one in the folder, or the best model of a run directory. */
function modelFile(path: string): string {
  if (!statSync(path).isDirectory()) {
    if (extname(path) === ".json") return path;
    throw new UsageError(
      `Cannot read a model from ${path}: give a zoo name, a run directory, a .keras, .h5, .onnx or tfjs model.json file, or weights with --arch.`,
    );
  }
  const found = [join(path, "model", "model.json"), join(path, "model.json")].find((file) => existsSync(file));
  if (found === undefined)
    throw new UsageError(`${path} holds no model: expected model/model.json, as in a run directory, or model.json.`);
  return found;
}
