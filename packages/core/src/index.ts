export { build, buildOptions, classActivation, withoutAux } from "./model/architecture.ts";
export type { Architecture, BuildOptions, HeadOptions, ImageShape, Published } from "./model/architecture.ts";
export { AdaptiveAveragePooling2D } from "./layers/pooling/adaptive-average-pooling2d.ts";
export { autoNamed } from "./block/auto-name.ts";
export type { AutoName } from "./block/auto-name.ts";
export { BatchNormalization, batchNorm } from "./layers/normalization/batch-norm.ts";
export type { BatchNormOptions } from "./layers/normalization/batch-norm.ts";
export { add, chain, concat, identity, layer, multiply, named, sizeOf } from "./block/block.ts";
export type { Block, JoinOptions } from "./block/block.ts";
export { bottleneckCost } from "./arithmetic/bottleneck.ts";
export type { BottleneckCost } from "./arithmetic/bottleneck.ts";
export { conv, depthwiseConv, separableConv } from "./layers/convolution/convolution.ts";
export type { ActivationName, ConvOptions, WindowOptions } from "./layers/convolution/convolution.ts";
export { convolve, crossCorrelate } from "./arithmetic/cross-correlation.ts";
export type { Matrix } from "./arithmetic/cross-correlation.ts";
export { Dropout, dropout } from "./layers/dropout.ts";
export { effectiveReceptiveField } from "./inspect/effective-receptive-field.ts";
export type { EffectiveReceptiveField, StackWindow } from "./inspect/effective-receptive-field.ts";
export { features, freeze } from "./model/features.ts";
export { batchNormTraining, composedBatchNorm } from "./layers/normalization/batch-norm-kernel.ts";
export type { OnMoments } from "./layers/normalization/batch-norm-kernel.ts";
export { GlobalAveragePooling2D } from "./layers/pooling/global-average-pooling2d.ts";
export { GroupNormalization, groupNorm } from "./layers/normalization/group-norm.ts";
export { Conv2D } from "./layers/convolution/conv2d.ts";
export { groupedConv2d, probeGroups } from "./layers/convolution/grouped-kernel.ts";
export type { GroupedOptions } from "./layers/convolution/grouped-kernel.ts";
export {
  drawValues,
  glorotNormal,
  glorotUniform,
  heNormal,
  heNormalFanOut,
  heUniform,
  initializer,
  lecunNormal,
  lecunUniform,
  ones,
  randomNormal,
  randomUniform,
  truncatedNormal,
  withSeed,
  withoutDrawing,
  zeros,
} from "./init/initializers.ts";
export type { Init, LayerInitializer } from "./init/initializers.ts";
export {
  LocalResponseNormalization,
  composedLocalResponseNorm,
  localResponseNorm,
} from "./layers/normalization/local-response-norm.ts";
export type { LocalResponseNormOptions } from "./layers/normalization/local-response-norm.ts";
export { macs } from "./inspect/macs.ts";
export { graphNodes, layerOutput } from "./model/model-graph.ts";
export type { GraphNode } from "./model/model-graph.ts";
export { Normalization, normalization } from "./layers/normalization/input-normalization.ts";
export { outputSize } from "./arithmetic/output-size.ts";
export type { OutputSize, Window } from "./arithmetic/output-size.ts";
export { PadChannels, padChannels } from "./layers/pad-channels.ts";
export { PaddedPooling2D } from "./layers/pooling/padded-pooling2d.ts";
export type { Padding, Pads, Pair } from "./arithmetic/padding.ts";
export { adaptiveAvgPool, avgPool, globalAvgPool, globalMaxPool, maxPool } from "./layers/pooling/pooling.ts";
export type { PoolOptions } from "./layers/pooling/pooling.ts";
export { metadataFromJson, modelMetadata, setModelMetadata } from "./model/metadata.ts";
export type { ImageFit, ModelMetadata } from "./model/metadata.ts";
export {
  caffePixels,
  preprocess,
  preprocessingFor,
  rawPixels,
  signedPixels,
  torchPixels,
  unitPixels,
} from "./model/preprocessing.ts";
export type { Preprocessing } from "./model/preprocessing.ts";
export { hashText, normalValues, truncatedNormalValues, uniformValues } from "./init/random.ts";
export { receptiveFields, stackedReceptiveField } from "./inspect/receptive-field.ts";
export type { ReceptiveField } from "./inspect/receptive-field.ts";
export { registerLayers } from "./layers/register.ts";
export { replaceHead } from "./model/replace-head.ts";
export { CustomScaleLayer, scaledAdd } from "./layers/scaled-add.ts";
export { SeparableConv2D } from "./layers/convolution/separable-conv2d.ts";
export { activation, crop, dense, flatten, relu, relu6, rescale, reshape, zeroPad } from "./layers/shape.ts";
export type { DenseOptions } from "./layers/shape.ts";
export { stockClass } from "./tfjs/layer-class.ts";
export type { StockClass, StockLayer } from "./tfjs/layer-class.ts";
export { summarize, summaryText } from "./inspect/summary.ts";
export type { LayerSummary, ModelSummary } from "./inspect/summary.ts";
export { opAttributes, tensorFlowBackend } from "./tfjs/tensorflow-backend.ts";
export type { OpAttribute, TensorFlowBackend } from "./tfjs/tensorflow-backend.ts";
