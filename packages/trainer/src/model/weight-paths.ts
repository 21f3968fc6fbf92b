import type { LayersModel, LayerVariable } from "@tensorflow/tfjs-layers";
import { isModel } from "./named-weights.ts";

/**
 * Every weight of a model under its path: the names of the models that it lies in, its layer and its own name, as in `head/kernel`
 * or `backbone/conv1/kernel`.
 */
export function weightPaths(model: LayersModel): Map<LayerVariable, string> {
  const paths = new Map<LayerVariable, string>();
  const visit = (container: LayersModel, prefix: string) => {
    for (const layer of container.layers) {
      if (isModel(layer)) visit(layer, `${prefix}${layer.name}/`);
      else
        for (const weight of layer.weights)
          if (!paths.has(weight)) paths.set(weight, `${prefix}${layer.name}/${ownName(weight)}`);
    }
  };
  visit(model, "");
  for (const weight of model.weights) if (!paths.has(weight)) paths.set(weight, ownName(weight));
  return paths;
}

/** A weight's name without its layer's. */
function ownName({ originalName, name }: LayerVariable): string {
  return (originalName ?? name).replace(/^.*\//, "");
}
