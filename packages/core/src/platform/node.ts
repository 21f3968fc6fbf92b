// Not for users: the parts of tfjs-layers that this package uses. Bundlers take `page.ts` in its place.
import * as tfl from "@tensorflow/tfjs-layers";

export const {
  Layer,
  activation,
  add,
  averagePooling2d,
  batchNormalization,
  concatenate,
  conv2d,
  cropping2D,
  dense,
  depthwiseConv2d,
  dropout,
  flatten,
  globalAveragePooling2d,
  globalMaxPooling2d,
  layerNormalization,
  maxPooling2d,
  multiply,
  reLU,
  rescaling,
  reshape,
  separableConv2d,
  zeroPadding2d,
} = tfl.layers;
export const { constant, ones, randomNormal, randomUniform, truncatedNormal, varianceScaling, zeros } =
  tfl.initializers;
export { input, model, SymbolicTensor } from "@tensorflow/tfjs-layers";
