import type * as tfl from "@tensorflow/tfjs-layers";
import { nestedModel } from "../../model/model-layers.ts";
import { pathBase } from "./class-name.ts";
import type { LayerConfig } from "./config.ts";
import { followers, keepKerasPaths, kerasPaths } from "./layer-paths.ts";
import { operationOf } from "./operations.ts";

/** Stores the path of each layer's weights in Keras 3, counted by the class names of the file. */
export function keepPaths(
  model: tfl.LayersModel,
  layers: readonly LayerConfig[],
  made: ReadonlyMap<string, tfl.layers.Layer>,
): void {
  const paths = new Map<tfl.layers.Layer, string>();
  const counts = new Map<string, number>();
  for (const layer of layers) {
    if (operationOf(layer) !== undefined && !layer.className.endsWith("OpLambda")) continue;
    const base = pathBase(layer.className);
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    const path = `layers/${count === 0 ? base : `${base}_${count}`}`;
    const instance = made.get(layer.name);
    if (instance === undefined) continue;
    paths.set(instance, path);
    const follower = layer.follower === undefined ? undefined : made.get(layer.follower.name);
    if (follower !== undefined) {
      paths.set(follower, `${path}/activation`);
      followers.set(instance, follower);
    }
    const nested = nestedModel(instance);
    const above = "layers" in instance ? path : `${path}/layer`;
    if (nested !== undefined) for (const [inner, below] of kerasPaths(nested)) paths.set(inner, `${above}/${below}`);
  }
  keepKerasPaths(model, paths);
}
