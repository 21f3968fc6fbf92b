export { build, classActivation, withoutAux } from "./model/architecture.ts";
export type {
  Accuracy,
  Architecture,
  RecommendedAugmentation,
  BuildOptions,
  HeadOptions,
  ImageShape,
  Source,
} from "./model/architecture.ts";
export { AdaptiveAveragePooling2D } from "./layers/pooling/adaptive-average-pooling2d.ts";
export { autoNamed } from "./block/auto-name.ts";
export type { AutoName } from "./block/auto-name.ts";
export { BatchNormalization, batchNorm } from "./layers/normalization/batch-norm.ts";
export type { BatchNormOptions } from "./layers/normalization/batch-norm.ts";
export { add, chain, concat, identity, layer, multiply, named, sizeOf, stage } from "./block/block.ts";
export type { Block, Blocks, JoinOptions, StageOptions } from "./block/block.ts";
export { ofKind } from "./block/names.ts";
export type { UnnamedBlock } from "./block/names.ts";
export { bottleneckCost } from "./arithmetic/bottleneck.ts";
export type { BottleneckCost, BottleneckSizes } from "./arithmetic/bottleneck.ts";
export { conv, depthwiseConv, separableConv } from "./layers/convolution/convolution.ts";
export type { ConvOptions, DepthwiseOptions, WindowOptions } from "./layers/convolution/convolution.ts";
export { convolve, crossCorrelate } from "./arithmetic/cross-correlation.ts";
export type { Matrix } from "./arithmetic/cross-correlation.ts";
export { DropBlock2D, dropBlock } from "./layers/drop-block.ts";
export type { DropBlockOptions } from "./layers/drop-block.ts";
export { Dropout, dropout } from "./layers/dropout.ts";
export type { DropoutOptions } from "./layers/dropout.ts";
export { effectiveReceptiveField } from "./inspect/effective-receptive-field.ts";
export type { EffectiveReceptiveField, StackWindow } from "./inspect/effective-receptive-field.ts";
export { features, freeze } from "./model/features.ts";
export { GlobalAveragePooling2D } from "./layers/pooling/global-average-pooling2d.ts";
export { GroupNormalization, groupNorm } from "./layers/normalization/group-norm.ts";
export type { GroupNormOptions } from "./layers/normalization/group-norm.ts";
export { Conv2D } from "./layers/convolution/conv2d.ts";
export {
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
export { LayerScale, layerScale } from "./layers/layer-scale.ts";
export { layerNorm } from "./layers/normalization/layer-norm.ts";
export type { LayerNormOptions } from "./layers/normalization/layer-norm.ts";
export { LocalResponseNormalization, localResponseNorm } from "./layers/normalization/local-response-norm.ts";
export type { LocalResponseNormOptions } from "./layers/normalization/local-response-norm.ts";
export { macs } from "./inspect/macs.ts";
export { graphNodes, layerOutput } from "./inspect/model-graph.ts";
export type { GraphNode } from "./inspect/model-graph.ts";
export { Normalization, normalization } from "./layers/normalization/input-normalization.ts";
export { outputSize } from "./arithmetic/output-size.ts";
export type { OutputSize, Window } from "./arithmetic/output-size.ts";
export { ShuffleChannels, shuffleChannels, SliceChannels, sliceChannels } from "./layers/channels.ts";
export { PadChannels, padChannels } from "./layers/pad-channels.ts";
export { PaddedPooling2D } from "./layers/pooling/padded-pooling2d.ts";
export type { Padding, Pads, Pair } from "./arithmetic/padding.ts";
export { adaptiveAvgPool, avgPool, globalAvgPool, globalMaxPool, maxPool } from "./layers/pooling/pooling.ts";
export type { AvgPoolOptions, GlobalPoolOptions, PoolOptions } from "./layers/pooling/pooling.ts";
export { metadataFromJson, modelMetadata, setModelMetadata } from "./metadata/metadata.ts";
export type { ImageFit, ModelMetadata } from "./metadata/metadata.ts";
export {
  caffePixels,
  preprocess,
  preprocessingFor,
  rawPixels,
  signedPixels,
  torchPixels,
  unitPixels,
} from "./metadata/preprocessing.ts";
export type { Preprocessing } from "./metadata/preprocessing.ts";
export { receptiveFields, stackedReceptiveField } from "./inspect/receptive-field.ts";
export type { ReceptiveField } from "./inspect/receptive-field.ts";
export { registerLayers } from "./layers/register.ts";
export { replaceHead } from "./model/replace-head.ts";
export type { ReplaceHeadOptions } from "./model/replace-head.ts";
export { layerWindow } from "./inspect/layer-window.ts";
export type { LayerWindow, MeasuredLayer } from "./inspect/layer-window.ts";
export { CustomScaleLayer, scaledAdd } from "./layers/scaled-add.ts";
export { SeparableConv2D } from "./layers/convolution/separable-conv2d.ts";
export { activation, hardSigmoid, hardSwish, relu, relu6 } from "./layers/activation.ts";
export type { ActivationName } from "./layers/activation.ts";
export { dense } from "./layers/dense.ts";
export type { DenseOptions } from "./layers/dense.ts";
export { crop, flatten, rescale, reshape, zeroPad } from "./layers/shape.ts";
export { stockClass } from "./tfjs/layer-class.ts";
export type { StockClass, StockLayer } from "./tfjs/layer-class.ts";
export { summarize, summaryText } from "./inspect/summary.ts";
export type { LayerSummary, ModelSummary } from "./inspect/summary.ts";
export { opAttributes, tensorFlowBackend } from "./tfjs/tensorflow-backend.ts";
export type { OpAttribute, TensorFlowBackend } from "./tfjs/tensorflow-backend.ts";
export { defineLayer } from "./layers/define-layer.ts";
export type { LayerContext, LayerDefinition, LayerWeight } from "./layers/define-layer.ts";
export { withDefaults } from "./layers/with-defaults.ts";
export type { WindowDefaults, WindowLayers } from "./layers/with-defaults.ts";
export type {
  Added,
  Chained,
  Concatenated,
  Flattened,
  Pooled,
  Reshaped,
  ShapedBlock,
  ShapeError,
  Times,
  Unchanged,
  Units,
  Windowed,
} from "./typed/shape-change.ts";
export type { InputOf, OutputOf, TypedModel } from "./typed/typed-model.ts";
export { network } from "./model/network.ts";
export type { InputShape, NetworkInput, NetworkOptions, NetworkOutput } from "./model/network.ts";
export { adadelta, adagrad, adamax, ftrl, lamb, lion, nadam } from "./optimizers/keras-optimizers.ts";
export { defineOptimizer } from "./optimizers/define-optimizer.ts";
export type {
  DefinedOptimizer,
  OptimizerDefinition,
  OptimizerOptions,
  UpdateState,
  VariableOptions,
} from "./optimizers/define-optimizer.ts";
export { lookahead } from "./optimizers/lookahead.ts";
export type { LookaheadOptions } from "./optimizers/lookahead.ts";
export { muon } from "./optimizers/muon.ts";
