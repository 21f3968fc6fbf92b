import type * as tfl from "@tensorflow/tfjs-layers";
import { kerasClassName } from "./class-name.ts";

/**
 * Where Keras 3 keeps each layer's weights in a `.weights.h5`: `layers/conv2d_1`, counted by class in the order of the layers; in
 * models within the model `layers/functional/layers/conv2d`.
 */
export function kerasPaths(model: tfl.LayersModel): Map<tfl.layers.Layer, string> {
  const paths = new Map<tfl.layers.Layer, string>();
  const walk = (inner: tfl.LayersModel, above: string): void => {
    const counts = new Map<string, number>();
    for (const layer of inner.layers) {
      const base = snakeCase(kerasClassName(layer));
      const count = counts.get(base) ?? 0;
      counts.set(base, count + 1);
      const path = `${above}layers/${count === 0 ? base : `${base}_${count}`}`;
      paths.set(layer, path);
      if ("layers" in layer) walk(layer as tfl.LayersModel, `${path}/`);
    }
  };
  walk(model, "");
  return paths;
}

/** Keras' own: `Conv2D` is `conv2d`, `ReLU` is `re_lu`. */
export function snakeCase(name: string): string {
  return name
    .replaceAll(/\W+/g, "")
    .replaceAll(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
