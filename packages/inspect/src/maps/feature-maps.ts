import {
  checkEngine,
  checkModel,
  evaluator,
  findLayer,
  isMap,
  layerPositions,
  stageEnds,
} from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { LayerPosition } from "@convkit/core/internal";
import { oneImage } from "../network/image-input.ts";
import type { Images } from "../network/image-input.ts";

export interface FeatureMapsOptions {
  /** Names of the layers; by default the last map of each stride between two blocks. */
  readonly layers?: readonly string[] | undefined;
}

const names: OptionNames<FeatureMapsOptions> = { layers: true };

/** What a layer computes for an image. */
export interface FeatureMap {
  readonly layer: string;
  readonly shape: readonly [height: number, width: number, channels: number];
  /** `[h, w, c]` */
  readonly values: Float32Array;
}

/**
 * The outputs of layers for one image, in the order of `layers`.
 *
 * Throws an `OptionError` for an image that does not fit, an unknown layer and a layer without a feature map.
 */
export async function featureMaps(
  model: tfl.LayersModel,
  image: Images,
  options?: FeatureMapsOptions,
): Promise<FeatureMap[]> {
  const where = "featureMaps";
  checkModel(where, model);
  checkEngine(where);
  checkOptions(where, options, names);
  const found = options?.layers?.map((layer) => findLayer(where, model, layer)) ?? defaultMaps(model);
  for (const { path, position } of found) {
    if (position.tensor.shape.length === 4) continue;
    throw new OptionError(
      `${where}: expected layers with feature maps [n, h, w, c], ${path} has ${shown(position.tensor.shape)}.`,
    );
  }
  const x = oneImage(where, model, image);
  const tensors = tf.tidy(() => {
    const valueOf = evaluator(model, x);
    return found.map(({ position }) => tf.clone(valueOf(position)));
  });
  x.dispose();
  const maps = await Promise.all(
    tensors.map(async (tensor, i): Promise<FeatureMap> => {
      const shape = tensor.shape.slice(1) as [number, number, number];
      return { layer: found[i]!.path, shape, values: (await tensor.data()) as Float32Array };
    }),
  );
  tf.dispose(tensors);
  return maps;
}

function defaultMaps(model: tfl.LayersModel): LayerPosition[] {
  const all = layerPositions(model);
  const ends = new Set(stageEnds(model).map(({ layer }) => layer));
  const found = all.filter((each) => ends.has(each.path));
  // A model whose maps are all inside a nested model has no stage of its own.
  return found.length > 0 ? found : all.filter(isMap).slice(-1);
}
