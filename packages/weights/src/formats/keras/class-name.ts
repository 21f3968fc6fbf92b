import type * as tfl from "@tensorflow/tfjs-layers";

/** Layers whose class Keras calls by another name. */
const renamed: Readonly<Record<string, string>> = {
  AxesNormalization: "Normalization",
  BentReLU: "ReLU",
  CroppedCentre: "CenterCrop",
  DilatedDepthwiseConv2D: "DepthwiseConv2D",
  GlobalMaxPooling2DKeepdims: "GlobalMaxPooling2D",
  ScaledELU: "ELU",
  ScaledUp2D: "UpSampling2D",
  ResizedTo: "Resizing",
  SizedConv2DTranspose: "Conv2DTranspose",
  SoftmaxOver: "Softmax",
  Model: "Functional",
};

/** What Keras calls the class of a layer. */
export function kerasClassName(layer: tfl.layers.Layer): string {
  const own = layer.getClassName();
  if (own === "RandomAugmentation") return randomClassName(layer);
  if (own === "KerasOnlyAugmentation") return (layer as unknown as { kerasClass: string }).kerasClass;
  return renamed[own] ?? own;
}

function randomClassName(layer: tfl.layers.Layer): string {
  const { flip, rotation, moves, contrast } = (layer as unknown as { augmentation: Record<string, unknown> })
    .augmentation;
  if (flip !== undefined) return "RandomFlip";
  if (rotation !== undefined) return "RandomRotation";
  if (moves !== undefined) return moves === "zoom" ? "RandomZoom" : "RandomTranslation";
  return contrast === undefined ? "RandomBrightness" : "RandomContrast";
}
