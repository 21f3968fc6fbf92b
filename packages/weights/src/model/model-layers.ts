import type * as tfl from "@tensorflow/tfjs-layers";

/** One layer that holds weights of its own. */
export interface ModelLayer {
  readonly name: string;
  readonly layer: tfl.layers.Layer;
  /** Those that are trained first, as Keras orders them. */
  readonly weights: readonly tfl.LayerVariable[];
  /** The layers within, of a model within a model that is taken as one. */
  readonly parts?: ReadonlySet<tfl.layers.Layer>;
}

/** All layers of a model in Keras' order; a nested model is replaced by its layers. */
export function modelLayers(model: tfl.LayersModel): ModelLayer[] {
  return model.layers.flatMap((layer) =>
    "layers" in layer ? modelLayers(layer as tfl.LayersModel) : [{ name: layer.name, layer, weights: layer.weights }],
  );
}

/** Names, each once: a second one gets a number. */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let count = 1; taken.has(own); count++) own = `${name}_${count}`;
    taken.add(own);
    return own;
  });
}

/**
 * The names of tensors as tfjs names a model's inputs and outputs, after their layers; a sequential model does not
 * know its own.
 */
export function layerNames(tensors: readonly tfl.SymbolicTensor[]): string[] {
  return tensors.map(({ sourceLayer }) => sourceLayer.name);
}
