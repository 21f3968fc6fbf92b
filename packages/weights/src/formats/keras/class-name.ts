import { AugmentationLayer, KerasOnlyAugmentation } from "@convkit/augment";
import { snakeCase } from "@convkit/core/internal";
import type * as tfl from "@tensorflow/tfjs-layers";
import { Attention, MultiHeadAttention } from "../../layers/attention.ts";

/** Layers whose class has another name in Keras. */
const renamed: Readonly<Record<string, string>> = {
  AxesNormalization: "Normalization",
  BatchStatisticsNormalization: "BatchNormalization",
  BentReLU: "ReLU",
  CroppedCentre: "CenterCrop",
  DropBlock2D: "Identity",
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

/** Classes that Keras 3 exports under another name than they have in its code, which paths and .h5 state. */
const codeNames: Readonly<Record<string, string>> = { GroupQueryAttention: "GroupedQueryAttention" };

/** The name of a class of Keras in Keras' own code. */
export function codeName(className: string): string {
  return Object.hasOwn(codeNames, className) ? codeNames[className]! : className;
}

/** The first part of a layer's path in a Keras 3 file, without its number: `conv2d` for Keras' class Conv2D. */
export function pathBase(className: string): string {
  return snakeCase(codeName(className));
}

/** The name of a layer's class in Keras. */
export function kerasClassName(layer: tfl.layers.Layer): string {
  if (layer instanceof AugmentationLayer || layer instanceof KerasOnlyAugmentation) return layer.kerasClass;
  const own = layer.getClassName();
  if (layer instanceof MultiHeadAttention && layer.args.keyHeads !== undefined) return "GroupQueryAttention";
  if (layer instanceof Attention && layer.args.scoreMode === "add") return "AdditiveAttention";
  return renamed[own] ?? own;
}
