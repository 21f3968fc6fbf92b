// What `import … from "convkit"` gives, as plain re-exports: its types, and its code for bundles. In Node, `index.ts` gives the same
// names and loads each package when one of its functions is called.
export { ConvkitError, isConvkitError, OptionError } from "@convkit/errors";
export {
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
} from "@convkit/core";
export type {
  ActivationName,
  Architecture,
  Block,
  Blocks,
  BuildOptions,
  ImageFit,
  ImageShape,
  Init,
  ModelMetadata,
  ModelSummary,
  NetworkOptions,
  Padding,
  Preprocessing,
} from "@convkit/core";
export {
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
} from "@convkit/blocks";
export {
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
} from "@convkit/augment/blocks";
export { createModel, findArchitecture, list, unet } from "./models.ts";
export type { ModelInfo, ModelName, CreateOptions } from "./models.ts";
export { decodeImage, fromArrays, fromGenerator, imageFolder, loadData, splitOff } from "@convkit/datasets";
export type { DataSplits, Dataset, IndexedDataset, LoadOptions } from "@convkit/datasets";
export {
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
} from "@convkit/trainer";
export type {
  Callback,
  EpochLogs,
  Evaluation,
  EvaluateOptions,
  LossName,
  OptimizerConfig,
  OptimizerName,
  RunResult,
  Schedule,
  TrainOptions,
} from "@convkit/trainer";
export { convert, loadModel, loadWeights, saveModel } from "@convkit/weights";
export type { SaveOptions, SaveReport } from "@convkit/weights";
export { classifier, classify, decodePredictions, predictor, quantize, topClasses } from "@convkit/predict";
export type {
  Classifier,
  ClassifyOptions,
  ImageSource,
  Prediction,
  Predictor,
  PredictorOptions,
} from "@convkit/predict";
export { writeReport } from "@convkit/report";
export {
  draw,
  drawPage,
  drawWindow,
  gradCam,
  integratedGradients,
  measuredReceptiveField,
  occlusion,
  saliency,
} from "@convkit/inspect";
export { accelerate, compile } from "@convkit/graph";
export type { Accelerated, Compiled } from "@convkit/graph";
export { doctor, formatDoctor, installEngine, listEngines, useEngine } from "@convkit/engine";
export type { DoctorReport, Engine, EngineName, UseOptions } from "@convkit/engine";
