import type { Preprocessing } from "@convkit/core";
import type { LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";

import type { PredictorOptions } from "../predictor-options.ts";
import type { OpenedModel, Opening } from "./opened-model.ts";

/** A layers model, or the part of it that is to be opened, and what it carries. */
export interface LayersPart {
  readonly model: LayersModel;
  readonly preprocessing: Preprocessing | undefined;
  readonly about: Required<Pick<OpenedModel, "metadata">> & Pick<OpenedModel, "classes" | "logits">;
}

/** What is to be opened of a layers model; a part shares the weights. */
export async function layersPart(
  whole: LayersModel,
  options: PredictorOptions,
  part: Opening["part"],
): Promise<LayersPart> {
  const { endsInLogits, modelMetadata } = await import("@convkit/core/plain");
  const { classNames } = await import("../prediction.ts");
  const metadata = modelMetadata(whole);
  const { preprocessing = metadata.preprocessing } = options;
  const model = part === undefined ? whole : await cutModel(whole, part.layer);
  return { model, preprocessing, about: { metadata, classes: classNames(whole), logits: endsInLogits(whole) } };
}

/** The model up to a layer, or up to its classifying layer; it shares the weights. */
async function cutModel(model: LayersModel, layer: string | undefined): Promise<LayersModel> {
  const { layerOutput } = await import("@convkit/core");
  const { headInput } = await import("@convkit/core/internal");
  const tfl = await import("@tensorflow/tfjs-layers");
  const output: SymbolicTensor = layer === undefined ? headInput(model) : layerOutput(model, layer);
  return tfl.model({ inputs: model.inputs, outputs: output, name: `${model.name}_features` });
}
