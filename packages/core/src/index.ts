export { build, buildOptions, classActivation, withoutAux } from "./architecture.ts";
export type { Architecture, BuildOptions, HeadOptions, ImageShape, Published } from "./architecture.ts";
export { AdaptiveAveragePooling2D } from "./adaptive-average-pooling2d.ts";
export { autoNamed } from "./auto-name.ts";
export type { AutoName } from "./auto-name.ts";
export { BatchNormalization, batchNorm } from "./batch-norm.ts";
export type { BatchNormOptions } from "./batch-norm.ts";
export { add, chain, concat, identity, layer, multiply, named, sizeOf } from "./block.ts";
export type { Block, JoinOptions } from "./block.ts";
export { bottleneckCost } from "./bottleneck.ts";
export type { BottleneckCost } from "./bottleneck.ts";
export { conv, depthwiseConv, separableConv } from "./convolution.ts";
export type { ActivationName, ConvOptions, WindowOptions } from "./convolution.ts";
export { convolve, crossCorrelate } from "./cross-correlation.ts";
export type { Matrix } from "./cross-correlation.ts";
export { Dropout, dropout } from "./dropout.ts";
export { effectiveReceptiveField } from "./effective-receptive-field.ts";
export type { EffectiveReceptiveField, StackWindow } from "./effective-receptive-field.ts";
export { features, freeze } from "./features.ts";
export { batchNormTraining, composedBatchNorm } from "./fused-batch-norm.ts";
export type { OnMoments } from "./fused-batch-norm.ts";
export { GlobalAveragePooling2D } from "./global-average-pooling2d.ts";
export { GroupNormalization, groupNorm } from "./group-norm.ts";
export { Conv2D } from "./grouped-conv2d.ts";
export { groupedConv2d, probeGroups } from "./grouped-convolution.ts";
export type { GroupedOptions } from "./grouped-convolution.ts";
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
} from "./initializers.ts";
export type { Init, LayerInitializer } from "./initializers.ts";
export { LocalResponseNormalization, composedLocalResponseNorm, localResponseNorm } from "./local-response-norm.ts";
export type { LocalResponseNormOptions } from "./local-response-norm.ts";
export { macs } from "./macs.ts";
export { graphNodes, layerOutput } from "./model-graph.ts";
export type { GraphNode } from "./model-graph.ts";
export { Normalization, normalization } from "./normalization.ts";
export { outputSize } from "./output-size.ts";
export type { OutputSize, Window } from "./output-size.ts";
export { PadChannels, padChannels } from "./pad-channels.ts";
export { PaddedPooling2D } from "./padded-pooling2d.ts";
export type { Padding, Pads, Pair } from "./padding.ts";
export { adaptiveAvgPool, avgPool, globalAvgPool, globalMaxPool, maxPool } from "./pooling.ts";
export type { PoolOptions } from "./pooling.ts";
export { caffePixels, preprocess, rawPixels, signedPixels, torchPixels, unitPixels } from "./preprocess.ts";
export type { Preprocessing } from "./preprocess.ts";
export { hashText, normalValues, truncatedNormalValues, uniformValues } from "./random.ts";
export { receptiveFields, stackedReceptiveField } from "./receptive-field.ts";
export type { ReceptiveField } from "./receptive-field.ts";
export { registerLayers } from "./register.ts";
export { replaceHead } from "./replace-head.ts";
export { CustomScaleLayer, scaledAdd } from "./scaled-add.ts";
export { SeparableConv2D } from "./separable-conv2d.ts";
export { activation, crop, dense, flatten, relu, relu6, rescale, reshape, zeroPad } from "./simple-layers.ts";
export type { DenseOptions } from "./simple-layers.ts";
export { stockClass } from "./stock.ts";
export type { StockClass, StockLayer } from "./stock.ts";
export { summarize, summaryText } from "./summary.ts";
export type { LayerSummary, ModelSummary } from "./summary.ts";
export { opAttributes, tensorFlowBackend } from "./tensorflow-backend.ts";
export type { OpAttribute, TensorFlowBackend } from "./tensorflow-backend.ts";
