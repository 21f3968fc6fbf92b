import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import { checkModel } from "../model/check-model.ts";
import { checkPreprocessing } from "./preprocessing-steps.ts";
import type { Preprocessing } from "./preprocessing-steps.ts";

/** The metadata that others need to use a model as it was trained. Every field may be missing. */
export interface ModelMetadata {
  /** The model's display name, for example the name of its run; missing if it has none. */
  readonly name?: string | undefined;
  /** The zoo's name of the network, for example `resnet50`; missing for other networks. */
  readonly architecture?: string | undefined;
  /** The source of that network's definition, `keras`, `torchvision` …; missing for other networks. */
  readonly source?: string | undefined;
  /**
   * Names of the classes, in the order of the outputs; two for a single sigmoid output. If missing, predictions have
   * numbers, or ImageNet's names for a published network of 1,000 outputs.
   */
  readonly classes?: readonly string[] | undefined;
  /** Of a model that tells several labels: the probability above which each counts, in the order of `classes`; 0.5 if missing. */
  readonly thresholds?: readonly number[] | undefined;
  /** How image files are decoded to the model's size; if missing, they are stretched to it. */
  readonly images?: ImageFit | undefined;
  /** How pixels (0 to 255) become the model's input; if missing, they are the input. */
  readonly preprocessing?: Preprocessing | undefined;
  /** Names of the last layers of its stages, for `features`; if missing, they follow from the model's graph. */
  readonly stages?: readonly string[] | undefined;
  /** Factor for each output's loss in training; 1 if missing. */
  readonly outputWeights?: readonly number[] | undefined;
}

/**
 * How an image file is decoded to pixels of one size. Names and meanings are those of `decodeImage` in
 * `@convkit/datasets`.
 */
export interface ImageFit {
  /** Height and width; if missing, those of the model's input. */
  readonly size?: readonly [height: number, width: number] | undefined;
  /** How pixels are interpolated; bilinear if missing. */
  readonly resize?: "bilinear" | "nearest" | "bicubic" | "area" | "antialiased" | undefined;
  /**
   * Crops the largest centered region with the size's aspect ratio before resizing; if missing, images are stretched.
   * A number is the share of the shorter side that the size covers after resizing: 0.875 for 224 of 256 pixels.
   */
  readonly crop?: boolean | number | undefined;
  /** False leaves an image as it is stored; if missing, EXIF's orientation turns it upright. */
  readonly orient?: boolean | undefined;
}

const metadataNames: OptionNames<ModelMetadata> = {
  name: true,
  architecture: true,
  source: true,
  classes: true,
  thresholds: true,
  images: true,
  preprocessing: true,
  stages: true,
  outputWeights: true,
};
const fitNames: OptionNames<ImageFit> = { size: true, resize: true, crop: true, orient: true };

/**
 * A model's metadata; `{}` if it has none. tfjs stores it in `model.json` (`userDefinedMetadata.convkit`), never in the
 * layers' configuration.
 */
export function modelMetadata(model: tfl.LayersModel): ModelMetadata {
  checkModel("modelMetadata", model);
  return (userMetadata(model)[KEY] ?? {}) as ModelMetadata;
}

/**
 * Changes a model's metadata and returns the model: given fields replace the model's, `undefined` removes a field, the
 * others stay. Throws an `OptionError` for unknown fields, invalid values, and more classes than outputs.
 */
export function setModelMetadata<Model extends tfl.LayersModel>(model: Model, metadata: ModelMetadata): Model {
  checkModel("setModelMetadata", model);
  if (metadata === undefined) {
    throw new OptionError(
      'setModelMetadata: expected an object of metadata such as { classes: ["cat", "dog"] }, got none.',
    );
  }
  const where = `metadata of ${model.name}`;
  checkMetadata(where, metadata, fail);
  checkOutputs(where, model, metadata);
  const whole = { ...modelMetadata(model), ...metadata };
  model.setUserDefinedMetadata({ ...userMetadata(model), [KEY]: definedOnly(whole) });
  return model;
}

/**
 * Metadata that a file holds as JSON, checked: `where` (the file's name) starts the sentence of an error, which is an
 * `OptionError` or what `failure` makes of it. Fields that this version does not know are left out, but an unknown step of
 * `images` or `preprocessing` is refused, since without it the numbers would be others.
 */
export function metadataFromJson(
  where: string,
  json: unknown,
  failure: (message: string) => Error = fail,
): ModelMetadata {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw failure(`${where}: expected an object of metadata, got ${shown(json)}.`);
  }
  const known = Object.entries(json).filter(([key, value]) => Object.hasOwn(metadataNames, key) && value !== null);
  const metadata = Object.fromEntries(known) as ModelMetadata;
  checkMetadata(where, metadata, failure);
  return definedOnly(metadata);
}

const KEY = "convkit";

function userMetadata(model: tfl.LayersModel): Record<string, unknown> {
  return (model.getUserDefinedMetadata() ?? {}) as Record<string, unknown>;
}

function fail(message: string): Error {
  return new OptionError(message);
}

/** A deep copy without undefined fields, like JSON that was written and read. */
function definedOnly(metadata: ModelMetadata): ModelMetadata {
  return JSON.parse(JSON.stringify(metadata)) as ModelMetadata;
}

/** Throws for unknown fields of metadata and for invalid values. */
export function checkMetadata(where: string, metadata: ModelMetadata, failure: (message: string) => Error): void {
  checkOptions(where, metadata, metadataNames, failure);
  const { name, architecture, source, classes, thresholds, stages, images, preprocessing, outputWeights } = metadata;
  const expect = (holds: boolean, what: string, value: unknown): void => {
    if (!holds) throw failure(`${where}: expected ${what}, got ${shown(value)}.`);
  };
  for (const [field, value] of Object.entries({ name, architecture, source })) {
    expect(value === undefined || typeof value === "string", `${field} to be text`, value);
  }
  for (const [field, value] of Object.entries({ classes, stages })) {
    const areNames = Array.isArray(value) && value.every((each) => typeof each === "string");
    expect(value === undefined || areNames, `${field} to be a list of names`, value);
  }
  const twice = classes !== undefined && new Set(classes).size < classes.length;
  expect(
    !twice,
    "each class once",
    classes?.find((each, i) => classes.indexOf(each) !== i),
  );
  const areWeights = Array.isArray(outputWeights) && outputWeights.every((each) => Number.isFinite(each) && each >= 0);
  expect(outputWeights === undefined || areWeights, "outputWeights to be numbers from 0 on", outputWeights);
  const areShares =
    Array.isArray(thresholds) && thresholds.every((each) => Number.isFinite(each) && each >= 0 && each <= 1);
  expect(thresholds === undefined || areShares, "thresholds to be numbers from 0 to 1", thresholds);
  checkOptions(`${where}, images`, images, fitNames, failure);
  const { size, resize, crop, orient } = images ?? {};
  const isSize = Array.isArray(size) && size.length === 2 && size.every((side) => Number.isInteger(side) && side > 0);
  expect(size === undefined || isSize, "size to be [height, width] in whole pixels from 1", size);
  const modes = ["bilinear", "nearest", "bicubic", "area", "antialiased"];
  expect(resize === undefined || modes.includes(resize), `resize to be one of ${modes.join(", ")}`, resize);
  expect(orient === undefined || typeof orient === "boolean", "orient to be true or false", orient);
  const isCrop = typeof crop === "boolean" || (typeof crop === "number" && crop > 0 && crop <= 1);
  expect(crop === undefined || isCrop, "crop to be true, false or a share of the image from 0 to 1", crop);
  checkPreprocessing(`${where}, preprocessing`, preprocessing, failure);
}

/** A single sigmoid has two classes; other outputs have one number per class. */
function checkOutputs(where: string, model: tfl.LayersModel, metadata: ModelMetadata): void {
  const { classes, thresholds, outputWeights } = metadata;
  const outputs = model.outputs ?? [];
  const units = outputs[0]?.shape.length === 2 ? outputs[0].shape[1] : undefined;
  if (classes !== undefined && units != null && classes.length > Math.max(units, 2)) {
    throw fail(
      `${where}: expected at most ${Math.max(units, 2)} classes, as many as the outputs tell apart, got ${classes.length}.`,
    );
  }
  if (thresholds !== undefined && units != null && thresholds.length !== units)
    throw fail(`${where}: expected ${units} thresholds, one a label, got ${thresholds.length}.`);
  if (outputWeights !== undefined && outputs.length > 0 && outputWeights.length !== outputs.length) {
    throw fail(`${where}: expected ${outputs.length} outputWeights, one an output, got ${outputWeights.length}.`);
  }
}
