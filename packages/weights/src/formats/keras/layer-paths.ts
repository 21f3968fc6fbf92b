import type * as tfl from "@tensorflow/tfjs-layers";
import { kerasClassName } from "./class-name.ts";

/**
 * Where Keras 3 keeps each layer's weights in a `.weights.h5`: `layers/conv2d_1`, counted by class in the order of the layers; in
 * models within the model `layers/functional/layers/conv2d`.
 */
export function kerasPaths(model: tfl.LayersModel): Map<tfl.layers.Layer, string> {
  const known = importedPaths.get(model);
  if (known !== undefined) return known;
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

/** Layers that a file gave as the activation of another one, by that one. */
export const followers = new WeakMap<tfl.layers.Layer, tfl.layers.Layer>();

/**
 * A name that tfjs takes for a layer's weights: other signs are written as their code point, `my layer` as `my_20_layer`, and
 * names that every JavaScript object has (`constructor`) get an x, since tfjs looks layers up in plain objects.
 */
export function safeName(name: string): string {
  const clean = name.replaceAll(/[^A-Za-z0-9_./-]/g, (sign) => `_${sign.codePointAt(0)!.toString(16)}_`);
  const taken = clean in Object.prototype;
  return /^[A-Za-z0-9]/.test(clean) && !taken ? clean : `x${clean}`;
}

const importedPaths = new WeakMap<tfl.LayersModel, Map<tfl.layers.Layer, string>>();

/** Keeps the paths of a model that was made of a file's architecture, whose own classes count there. */
export function keepKerasPaths(model: tfl.LayersModel, paths: Map<tfl.layers.Layer, string>): void {
  importedPaths.set(model, paths);
}

/** Keras' own: `Conv2D` is `conv2d`, `ReLU` is `re_lu`. */
export function snakeCase(name: string): string {
  return name
    .replaceAll(/\W+/g, "")
    .replaceAll(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
