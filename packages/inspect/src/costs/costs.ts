import { checkEngine, checkModel, checkWhole, evaluator } from "@convkit/core/internal";
import type { Shape } from "@convkit/core/internal";
import { checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { inputBatches } from "../network/input-batches.ts";
import type { Inputs } from "../network/input-batches.ts";
import { layerUses } from "./layer-uses.ts";
import { timeLayers } from "./time-layers.ts";

export interface CostsOptions {
  /**
   * Images with which each layer is timed, eagerly; no time is measured by default. For a network of other inputs a batch of
   * each input's shape, in the network's order, all of one size.
   */
  readonly images?: Inputs | undefined;
  /** Timed runs of each layer, of which the median counts; 3 by default. */
  readonly runs?: number | undefined;
}

const names: OptionNames<CostsOptions> = { images: true, runs: true };

/** What one use of a layer costs, for one image. */
export interface LayerCost {
  /** The layer's name; in a nested model after that model's name: `backbone/conv1`. */
  readonly layer: string;
  /** The layer's class, as in saved files. */
  readonly type: string;
  readonly outputShape: readonly (number | null)[];
  /** Weights that no earlier row has counted. */
  readonly params: number;
  /** Multiply-adds; null if they depend on an unknown size or cannot be counted. */
  readonly macs: number | null;
  /** Bytes of its outputs in float32; null if they depend on an unknown size. */
  readonly activationBytes: number | null;
  /** Bytes of its inputs, outputs and weights in float32: the least that it must move. */
  readonly movedBytes: number | null;
  /** Median seconds for all images; missing if no time was measured. */
  readonly seconds?: number;
}

/** What a network costs, layer by layer. */
export interface ModelCosts {
  readonly model: string;
  readonly layers: readonly LayerCost[];
  readonly total: {
    readonly params: number;
    readonly macs: number | null;
    readonly activationBytes: number | null;
    /** The sum of the layers' seconds; missing if no time was measured. */
    readonly seconds?: number;
  };
  /** Number of images that were timed; 0 without. */
  readonly images: number;
  /** The tfjs backend that was timed; missing without. */
  readonly backend?: string;
}

/**
 * Parameters, multiply-adds, memory and, with `images`, time of each layer of a network, nested models' layers included.
 * Times are those of layers that run one by one: a compiled model is faster, since TensorFlow fuses layers.
 *
 * Throws an `OptionError` for images, or batches of other inputs, that do not fit.
 */
export async function costs(model: tfl.LayersModel, options?: CostsOptions): Promise<ModelCosts> {
  const where = "costs";
  checkModel(where, model);
  checkOptions(where, options, names);
  const { images, runs = 3 } = options ?? {};
  checkWhole(where, "runs", runs, 1);
  if (images !== undefined) checkEngine(where);
  const x = images === undefined ? undefined : inputBatches(where, model, images);
  try {
    const uses = layerUses(
      model,
      x?.map(({ shape }) => shape),
    );
    const seconds = x === undefined ? undefined : await timeLayers(uses, evaluator(model, x), runs);
    const counted = new Set<tfl.LayerVariable>();
    const layers = uses.map((use, i): LayerCost => {
      const fresh = use.layer.weights.filter((weight) => !counted.has(weight));
      for (const weight of fresh) counted.add(weight);
      const [read, written] = [bytesOf(use.inputShapes), bytesOf(use.outputShapes)];
      const weights = 4 * use.layer.countParams();
      return {
        layer: use.path,
        type: use.layer.getClassName(),
        outputShape: [...(use.outputShapes[0] ?? [])],
        params: fresh.reduce((sum, { shape }) => sum + product(shape), 0),
        macs: use.macs,
        activationBytes: written,
        movedBytes: read === null || written === null ? null : read + written + weights,
        ...(seconds === undefined ? {} : { seconds: seconds[i] as number }),
      };
    });
    const sum = (values: readonly (number | null)[]): number | null =>
      values.reduce((total, value) => (total === null || value === null ? null : total + value), 0);
    return {
      model: model.name,
      layers,
      total: {
        params: sum(layers.map(({ params }) => params)) as number,
        macs: sum(layers.map(({ macs }) => macs)),
        activationBytes: sum(layers.map(({ activationBytes }) => activationBytes)),
        ...(seconds === undefined ? {} : { seconds: seconds.reduce((a, b) => a + b, 0) }),
      },
      images: x?.[0]?.shape[0] ?? 0,
      ...(x === undefined ? {} : { backend: tf.getBackend() }),
    };
  } finally {
    tf.dispose(x ?? []);
  }
}

/** The costs as CSV: one row a layer, with a head. */
export function costsCsv({ layers }: ModelCosts): string {
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = layers.map(({ layer, type, outputShape, params, macs, activationBytes, movedBytes, seconds }) => [
    quoted(layer),
    quoted(type),
    outputShape.slice(1).join("x"),
    params,
    macs ?? "",
    activationBytes ?? "",
    movedBytes ?? "",
    seconds ?? "",
  ]);
  const head = ["layer", "type", "output", "params", "macs", "activation_bytes", "moved_bytes", "seconds"];
  return `${[head, ...rows].map((row) => row.join(",")).join("\n")}\n`;
}

/** Bytes of one image's tensors in float32. */
function bytesOf(shapes: readonly Shape[]): number | null {
  const sizes = shapes.map((shape) => shape.slice(1));
  return sizes.flat().includes(null) ? null : sizes.reduce((sum, size) => sum + 4 * product(size), 0);
}

function product(sizes: readonly (number | null)[]): number {
  return sizes.reduce<number>((result, size) => result * (size ?? 1), 1);
}
