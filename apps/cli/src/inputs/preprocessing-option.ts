import {
  caffePixels,
  modelMetadata,
  preprocessingFor,
  rawPixels,
  setModelMetadata,
  signedPixels,
  torchPixels,
  unitPixels,
} from "@convkit/core";
import type { ImageFit, ModelMetadata, Preprocessing } from "@convkit/core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { choice } from "../terminal/option.ts";

/** Resizes to 256 for 224 pixels, as Pillow does, and crops the center: torchvision's `ImageClassification`. */
const centered: ImageFit = { resize: "antialiased", crop: 0.875 };

const kinds: Readonly<Record<PreprocessingKind, { readonly pixels: Preprocessing; readonly fit: ImageFit }>> = {
  torchvision: { pixels: torchPixels, fit: centered },
  torch: { pixels: torchPixels, fit: {} },
  tf: { pixels: signedPixels, fit: {} },
  caffe: { pixels: caffePixels, fit: {} },
  unit: { pixels: unitPixels, fit: {} },
  raw: { pixels: rawPixels, fit: {} },
};

export type PreprocessingKind = "torchvision" | "torch" | "tf" | "caffe" | "unit" | "raw";

/** The names of the ways that images become a model's input. */
export const preprocessingKinds = Object.keys(kinds) as readonly PreprocessingKind[];

/** The option of how images become a model's input. */
export const preprocessingOption = {
  preprocessing: choice(
    preprocessingKinds,
    "<kind>",
    "how images become the input, for a file that does not say it: torch (ImageNet's mean and deviation), torchvision (the same, after resizing to 256 and cropping 224), tf (-1 to 1), caffe, unit (0 to 1), raw (0 to 255)",
  ),
};

/** How image files are decoded with a preprocessing that the user names; undefined if none is named. */
export function fitOf(kind: PreprocessingKind | undefined): ImageFit | undefined {
  return kind && kinds[kind].fit;
}

/** The metadata with the preprocessing that the user names; unchanged if none is named. */
export function withPreprocessing(
  metadata: ModelMetadata,
  kind: PreprocessingKind | undefined,
  channels: number,
): ModelMetadata {
  if (kind === undefined) return metadata;
  const { pixels, fit } = kinds[kind];
  return {
    ...metadata,
    preprocessing: preprocessingFor(pixels, channels),
    images: { ...metadata.images, ...fit },
  };
}

/** The same for a model, whose metadata are changed. */
export function setPreprocessing(model: LayersModel, kind: PreprocessingKind | undefined): void {
  if (kind === undefined) return;
  const channels = model.inputs[0]?.shape.at(-1) ?? 3;
  setModelMetadata(model, withPreprocessing(modelMetadata(model), kind, channels));
}
