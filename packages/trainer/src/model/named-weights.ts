import type { LayersModel, LayerVariable } from "@tensorflow/tfjs-layers";

/**
 * Every weight of a model under a unique name: the index of its layer in the model, the layer's class and the weight's
 * name, as in `3.Dense/kernel`. Indices in `model.weights` would change when a layer is frozen, since tfjs sorts them
 * by `trainable`; the layer's index does not. Layers' own names would differ between processes, since tfjs numbers them
 * (`dense_Dense7`).
 */
export function namedWeights(model: LayersModel): Map<string, LayerVariable> {
  const named = new Map<string, LayerVariable>();
  const seen = new Set<LayerVariable>();
  const add = (path: string, weight: LayerVariable) => {
    if (seen.has(weight)) return;
    seen.add(weight);
    const name = path + (weight.originalName ?? weight.name).replace(/^.*\//, "");
    let free = name;
    for (let count = 2; named.has(free); count += 1) free = `${name}#${count}`;
    named.set(free, weight);
  };
  const visit = (container: LayersModel, path: string) => {
    for (const [place, layer] of container.layers.entries()) {
      const own = `${path}${place}.${layer.getClassName()}/`;
      if (isModel(layer)) visit(layer, own);
      else for (const weight of layer.weights) add(own, weight);
    }
  };
  visit(model, "");
  // A model of a user-defined class may have weights besides those of its layers.
  for (const weight of model.weights) add("", weight);
  return named;
}

/** True if a layer is a model: models may be layers of other models. */
export function isModel(layer: unknown): layer is LayersModel {
  return Array.isArray((layer as { layers?: unknown }).layers);
}
