import { createRequire } from "node:module";
import type * as core from "@convkit/core";
import type * as augment from "@convkit/augment/blocks";
import type * as blocks from "@convkit/blocks";
import type * as models from "./models.ts";
import type * as datasets from "@convkit/datasets";
import type * as trainer from "@convkit/trainer";
import type * as weights from "@convkit/weights";
import type * as predict from "@convkit/predict";
import type * as report from "@convkit/report";
import type * as graph from "@convkit/graph";
import type * as inspect from "@convkit/inspect";
import type * as engine from "@convkit/engine";
import { lazily } from "./lazily.ts";

// TensorFlow.js alone takes 300 ms to load; sharp, koffi and the charts more. So each package is loaded by the first call of one of its
// functions. `require` loads ES modules, too, and needs no `await`.
const require = createRequire(import.meta.url);

export { ConvkitError, isConvkitError, OptionError } from "@convkit/errors";
export const {
  activation,
  add,
  adaptiveAvgPool,
  avgPool,
  batchNorm,
  bottleneckCost,
  chain,
  concat,
  conv,
  crop,
  defineLayer,
  defineOptimizer,
  dense,
  depthwiseConv,
  dropout,
  features,
  flatten,
  freeze,
  globalAvgPool,
  globalMaxPool,
  groupNorm,
  identity,
  layer,
  localResponseNorm,
  maxPool,
  modelMetadata,
  multiply,
  named,
  network,
  normalization,
  receptiveFields,
  relu,
  relu6,
  replaceHead,
  rescale,
  reshape,
  separableConv,
  setModelMetadata,
  stage,
  summarize,
  summaryText,
  withDefaults,
  zeroPad,
} = lazily<typeof core>(() => require("@convkit/core"));
export const {
  basicBlock,
  bottleneckBlock,
  convBnRelu,
  convRelu,
  denseBlock,
  fire,
  inception,
  invertedResidual,
  residual,
  separableUnit,
  squeezeExcite,
  transition,
} = lazily<typeof blocks>(() => require("@convkit/blocks"));
export const {
  randAugment,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomErasing,
  randomFlip,
  randomHue,
  randomRotation,
  randomSaturation,
  randomShear,
  randomTranslation,
  randomZoom,
} = lazily<typeof augment>(() => require("@convkit/augment/blocks"));
export const { createModel, findArchitecture, list, unet } = lazily<typeof models>(() => require("convkit/models"));
export const { decodeImage, fromArrays, fromGenerator, imageFolder, loadData, splitOff } = lazily<typeof datasets>(() =>
  require("@convkit/datasets"),
);
export const {
  balancedClassWeights,
  crossValidate,
  earlyStopping,
  evaluate,
  evaluateTasks,
  fineTune,
  reduceOnPlateau,
  taskHeads,
  tensorBoard,
  train,
  trainingHealth,
} = lazily<typeof trainer>(() => require("@convkit/trainer"));
export const { convert, loadModel, loadWeights, saveModel } = lazily<typeof weights>(() => require("@convkit/weights"));
export const { classifier, classify, decodePredictions, predictor, quantize, topClasses } = lazily<typeof predict>(() =>
  require("@convkit/predict"),
);
export const { writeReport } = lazily<typeof report>(() => require("@convkit/report"));
export const { draw, drawPage, drawWindow, gradCam, integratedGradients, measuredReceptiveField, occlusion, saliency } =
  lazily<typeof inspect>(() => require("@convkit/inspect"));
export const { accelerate, compile } = lazily<typeof graph>(() => require("@convkit/graph"));
export const { doctor, formatDoctor, installEngine, listEngines, useEngine } = lazily<typeof engine>(() =>
  require("@convkit/engine"),
);
