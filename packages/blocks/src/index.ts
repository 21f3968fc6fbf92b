export { auxiliaryClassifier } from "./auxiliary.ts";
export type { AuxiliaryOptions } from "./auxiliary.ts";
export { convBnRelu, convRelu } from "./conv-unit.ts";
export type { ConvUnit } from "./conv-unit.ts";
export { denseBlock, denseLayer, transition } from "./dense-block.ts";
export type {
  DenseBlockOptions,
  DenseLayerOptions,
  DensePart,
  TransitionOptions,
  TransitionPart,
} from "./dense-block.ts";
export { fire } from "./fire.ts";
export { factorizedInception, inception, naiveInception } from "./inception.ts";
export type { InceptionFilters, InceptionOptions } from "./inception.ts";
export { inceptionA, inceptionB, inceptionC, inceptionD, inceptionE } from "./inception-v3.ts";
export type { InceptionParts } from "./inception-v3.ts";
export { invertedResidual } from "./inverted-residual.ts";
export type { InvertedOptions, InvertedPart } from "./inverted-residual.ts";
export type { Naming } from "./naming.ts";
export { bookResidual, preActivationBlock } from "./pre-activation.ts";
export type { BookResidualOptions, PreActivationOptions, PreActivationPart } from "./pre-activation.ts";
export {
  averagedProjection,
  basicBlock,
  bottleneckBlock,
  plainProjection,
  projection,
  residual,
  zeroShortcut,
} from "./residual.ts";
export type { BasicBlockOptions, BottleneckOptions, ResidualOptions, ResidualPart, Shortcut } from "./residual.ts";
export { miniXceptionBlock, separableUnit } from "./separable.ts";
export type { SeparableUnitOptions } from "./separable.ts";
export { squeezeExcite } from "./squeeze-excite.ts";
export type { SqueezeExciteOptions, SqueezePart } from "./squeeze-excite.ts";
