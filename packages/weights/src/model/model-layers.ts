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

/** All layers of a model in Keras' order, those of models within it in their place. */
export function modelLayers(model: tfl.LayersModel): ModelLayer[] {
  return model.layers.flatMap((layer) =>
    "layers" in layer ? modelLayers(layer as tfl.LayersModel) : [{ name: layer.name, layer, weights: layer.weights }],
  );
}

/** The names of tensors as tfjs names a model's inputs and outputs, after their layers; a sequential model does not know its own. */
export function layerNames(tensors: readonly tfl.SymbolicTensor[]): string[] {
  return tensors.map(({ sourceLayer }) => sourceLayer.name);
}
