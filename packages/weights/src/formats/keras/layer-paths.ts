import type * as tfl from "@tensorflow/tfjs-layers";
import { kerasClassName, pathBase } from "./class-name.ts";

/**
 * The path of each layer's weights in a Keras 3 `.weights.h5`: `layers/conv2d_1`, counted by class in layer order; in
 * nested models `layers/functional/layers/conv2d`.
 */
export function kerasPaths(model: tfl.LayersModel): Map<tfl.layers.Layer, string> {
  const known = importedPaths.get(model);
  if (known !== undefined) return known;
  const paths = new Map<tfl.layers.Layer, string>();
  const walk = (inner: tfl.LayersModel, above: string): void => {
    const counts = new Map<string, number>();
    for (const layer of inner.layers) {
      const base = pathBase(kerasClassName(layer));
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

/** Maps a layer to the layer that a file states as its activation. */
export const followers = new WeakMap<tfl.layers.Layer, tfl.layers.Layer>();

/**
 * A name that tfjs accepts for a layer's weights. Other characters become their code point (`my layer` becomes
 * `my_20_layer`), and names that every JavaScript object has (`constructor`) get an x, since tfjs looks layers up in
 * plain objects.
 */
export function safeName(name: string): string {
  const clean = name.replaceAll(/[^A-Za-z0-9_./-]/g, (sign) => `_${sign.codePointAt(0)!.toString(16)}_`);
  const taken = clean in Object.prototype;
  return /^[A-Za-z0-9]/.test(clean) && !taken ? clean : `x${clean}`;
}

const importedPaths = new WeakMap<tfl.LayersModel, Map<tfl.layers.Layer, string>>();

/**
 * Stores the paths of a model built from a file's architecture. The file's class names, not ours, decide these paths.
 */
export function keepKerasPaths(model: tfl.LayersModel, paths: Map<tfl.layers.Layer, string>): void {
  importedPaths.set(model, paths);
}
