import { checkWhole, evaluator, findLayer, previousOf } from "@convkit/core/internal";
import type { Position } from "@convkit/core/internal";
import { checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { imageBatch } from "../network/image-input.ts";
import type { Images } from "../network/image-input.ts";
import { targetOf } from "../network/target.ts";

export interface EmbedOptions {
  /** Name of the layer; by default what the last dense layer takes. */
  readonly layer?: string | undefined;
  /** Images that go through the network at once; 32 by default. */
  readonly batch?: number | undefined;
}

const names: OptionNames<EmbedOptions> = { layer: true, batch: true };

/** A vector for each image. */
export interface Embeddings {
  readonly shape: readonly [images: number, size: number];
  /** `[n, size]` */
  readonly values: Float32Array;
}

/**
 * What a layer computes for images, one vector an image: `[n, h, w, c] -> [n, size]`. Feature maps are averaged over their
 * positions. Throws an `OptionError` for images that do not fit and an unknown layer.
 */
export async function embed(model: tfl.LayersModel, images: Images, options?: EmbedOptions): Promise<Embeddings> {
  const where = "embed";
  checkOptions(where, options, names);
  const { layer, batch = 32 } = options ?? {};
  checkWhole(where, "batch", batch, 1);
  const position = layer === undefined ? beforeHead(where, model) : findLayer(where, model, layer).position;
  const x = imageBatch(where, model, images);
  const count = x.shape[0];
  const parts: Float32Array[] = [];
  for (let from = 0; from < count; from += batch) {
    const part = tf.tidy(() => {
      const some = tf.slice(x, from, Math.min(batch, count - from));
      const values = evaluator(model, some)(position);
      const axes = values.shape.slice(1, -1).map((_, axis) => axis + 1);
      return axes.length === 0 ? tf.clone(values) : tf.mean(values, axes);
    });
    parts.push((await part.data()) as Float32Array);
    part.dispose();
  }
  x.dispose();
  const values = Float32Array.from({ length: parts.reduce((sum, { length }) => sum + length, 0) });
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return { shape: [count, values.length / count], values };
}

/** The input of the last layer with weights. */
function beforeHead(where: string, model: tfl.LayersModel): Position {
  const { head, base } = targetOf(where, model).end;
  if (head !== undefined && head.weights.length > 0) return base;
  const [before] = previousOf(base);
  return base.tensor.sourceLayer.getClassName() === "Dense" && before !== undefined ? before : base;
}
