/**
 * What bundlers take in place of `node.ts` for web pages: the same names from the files of tfjs-layers that define them. Its index holds every
 * layer, and a bundler cannot leave one out, since each file registers its classes. So each of those files has one of ours here, which a
 * bundler leaves out where nothing of it is used.
 */
export { Layer, SymbolicTensor } from "@tensorflow/tfjs-layers/dist/engine/topology.js";
export {
  constant,
  ones,
  randomNormal,
  randomUniform,
  truncatedNormal,
  varianceScaling,
  zeros,
} from "@tensorflow/tfjs-layers/dist/exports_initializers.js";
export { activation, dense, dropout, flatten, reshape } from "./page/basic.ts";
export { input, model } from "./page/model.ts";
export { conv2d, cropping2D, separableConv2d } from "./page/convolution.ts";
export { depthwiseConv2d } from "./page/depthwise-convolution.ts";
export { add, concatenate, multiply } from "./page/merge.ts";
export { batchNormalization, layerNormalization } from "./page/normalization.ts";
export { zeroPadding2d } from "./page/padding.ts";
export { averagePooling2d, globalAveragePooling2d, globalMaxPooling2d, maxPooling2d } from "./page/pooling.ts";
export { reLU } from "./page/re-lu.ts";
export { rescaling } from "./page/rescaling.ts";
