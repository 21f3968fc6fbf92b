import type { ImageFit, Preprocessing } from "@convkit/core";
import type { LayersModel } from "@tensorflow/tfjs-layers";

/** A model and what is known about its images and classes; by default what the model carries. */
export interface ModelWithImages {
  /** A model, or the path of one that only predicts: a SavedModel that others wrote, or an ONNX file. */
  readonly model: LayersModel | string;
  /**
   * From pixels (0 to 255) to the model's input; by default as the model's metadata says, else the pixels unchanged.
   */
  readonly preprocessing?: Preprocessing | undefined;
  /**
   * Names of the classes, in the order of the outputs; by default as the model's metadata says, else ImageNet's for a
   * published network of 1,000 outputs, else numbers.
   */
  readonly classes?: readonly string[] | undefined;
  /**
   * How image files are resized, cropped and turned; by default as the model's metadata says, else stretched to the
   * model's size and turned upright.
   */
  readonly images?: ImageFit | undefined;
}

/**
 * Where a model comes from: the path of a model file, of a run directory, or of a folder whose subfolders `1`, `2`, … are versions;
 * or a model that is loaded already, which stays the caller's to dispose of.
 */
export type ModelSource = string | LayersModel;

/** Loads the model at a path. */
export type LoadSource = (path: string) => Promise<LayersModel | ModelWithImages>;
