import type * as tfl from "@tensorflow/tfjs-layers";

/** One layer with weights. */
export interface ModelLayer {
  readonly name: string;
  readonly layer: tfl.layers.Layer;
  /** The layer's weights in Keras' order: trainable weights first. */
  readonly weights: readonly tfl.LayerVariable[];
  /** The inner layers, if a nested model counts as one layer. */
  readonly parts?: ReadonlySet<tfl.layers.Layer>;
}

/** All layers of a model in Keras' order; a nested model is replaced by its layers. */
export function modelLayers(model: tfl.LayersModel): ModelLayer[] {
  return model.layers.flatMap((layer) => {
    const inner = nestedModel(layer);
    return inner === undefined ? [{ name: layer.name, layer, weights: layer.weights }] : modelLayers(inner);
  });
}

/** The model that a layer is, or that a wrapper such as TimeDistributed holds. */
export function nestedModel(layer: tfl.layers.Layer): tfl.LayersModel | undefined {
  if ("layers" in layer) return layer as tfl.LayersModel;
  const { layer: inner } = layer as { layer?: tfl.layers.Layer };
  return inner !== undefined && "layers" in inner ? (inner as tfl.LayersModel) : undefined;
}

/** Makes names unique: repeated names get a number. */
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
 * The names of a model's inputs or outputs: as in tfjs, the names of their layers. A sequential model does not provide
 * them.
 */
export function layerNames(tensors: readonly tfl.SymbolicTensor[]): string[] {
  return tensors.map(({ sourceLayer }) => sourceLayer.name);
}
