import { checkModel, findLayer, layerPositions } from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";

export interface FiltersOptions {
  /** Name of a convolution; the first one by default. */
  readonly layer?: string | undefined;
}

const names: OptionNames<FiltersOptions> = { layer: true };

/** The filters of a convolution. */
export interface Filters {
  readonly layer: string;
  readonly shape: readonly [height: number, width: number, channels: number, filters: number];
  /** `[h, w, c, filters]` */
  readonly values: Float32Array;
}

/** The filters of a convolution. Throws an `OptionError` for a layer that is none, and a model without one. */
export async function filters(model: tfl.LayersModel, options?: FiltersOptions): Promise<Filters> {
  const where = "filters";
  checkModel(where, model);
  checkOptions(where, options, names);
  const found =
    options?.layer === undefined
      ? layerPositions(model).find(({ layer }) => kernelOf(layer) !== undefined)
      : findLayer(where, model, options.layer);
  const kernel = found === undefined ? undefined : kernelOf(found.layer);
  if (found === undefined || kernel === undefined) {
    const got = options?.layer === undefined ? model.name : shown(options.layer);
    throw new OptionError(`${where}: expected a convolution with a kernel [h, w, c, filters], ${got} has none.`);
  }
  const shape = kernel.shape as [number, number, number, number];
  // The variable is the layer's own: it is copied, not disposed.
  return { layer: found.path, shape, values: Float32Array.from(await kernel.read().data()) };
}

function kernelOf(layer: tfl.layers.Layer): tfl.LayerVariable | undefined {
  return layer.weights.find(({ shape }) => shape.length === 4);
}
