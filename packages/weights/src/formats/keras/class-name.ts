import { AugmentationLayer, KerasOnlyAugmentation } from "@convkit/augment";
import type * as tfl from "@tensorflow/tfjs-layers";

/** Layers whose class has another name in Keras. */
const renamed: Readonly<Record<string, string>> = {
  AxesNormalization: "Normalization",
  BatchStatisticsNormalization: "BatchNormalization",
  BentReLU: "ReLU",
  CroppedCentre: "CenterCrop",
  DilatedDepthwiseConv2D: "DepthwiseConv2D",
  GroupedConv1D: "Conv1D",
  GroupedConv3D: "Conv3D",
  ResetAfterGRU: "GRU",
  ThresholdedReLU: "ReLU",
  GlobalMaxPooling2DKeepdims: "GlobalMaxPooling2D",
  ScaledELU: "ELU",
  ScaledUp2D: "UpSampling2D",
  ResizedTo: "Resizing",
  SizedConv2DTranspose: "Conv2DTranspose",
  SizedConv3DTranspose: "Conv3DTranspose",
  SoftmaxOver: "Softmax",
  Model: "Functional",
};

/** The name of a layer's class in Keras. */
export function kerasClassName(layer: tfl.layers.Layer): string {
  if (layer instanceof AugmentationLayer || layer instanceof KerasOnlyAugmentation) return layer.kerasClass;
  const own = layer.getClassName();
  return renamed[own] ?? own;
}
