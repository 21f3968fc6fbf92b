import { type Batch, contactSheet, type Dataset, type IndexedDataset } from "@convkit/datasets";
import type * as tf from "@tensorflow/tfjs-core";
import { executable, type ExecutionOptions } from "@convkit/graph";
import { evaluate } from "../step/evaluate.ts";
import { stretchToBytes } from "../tensorboard/stretch.ts";
import type { StepParts } from "../step/training-loss.ts";
import type { Picture } from "../tensorboard/event-file.ts";

/** The most images to search for mistakes: a large data set must not cost a second validation. */
const mostImages = 2000;

/** Draws the first images of the first epoch on one sheet, augmented as in its first step. */
export async function drawFirstBatch(
  { augment }: StepParts,
  data: Dataset,
  { count, seed, execution }: { readonly count: number; readonly seed: number; readonly execution: ExecutionOptions },
): Promise<Picture | undefined> {
  for await (const batch of data.batches({ batch: count, shuffle: true, seed, epoch: 0 })) {
    const captions = Array.from(batch.labels, (label) => data.classes[label]!);
    if (augment === undefined) return sheetOf(batch, captions);
    const change = executable(
      (images, labels) => [augment(images as tf.Tensor4D, labels as tf.Tensor1D).images],
      execution,
    );
    const [changed] = await change.run([
      { data: batch.images, shape: batch.shape },
      { data: batch.labels, shape: [batch.labels.length] },
    ]);
    await change.dispose();
    const [n, h, w, c] = changed!.shape as [number, number, number, number];
    const images =
      batch.images instanceof Uint8Array ? Uint8ClampedArray.from(changed!.data) : stretchToBytes(changed!.data);
    return sheetOf({ images: new Uint8Array(images.buffer), shape: [n, h, w, c] }, captions);
  }
  return undefined;
}

/**
 * Draws the wrong predictions with the highest probability on one sheet; undefined if there are none, or if `signal`
 * aborts: an interrupted run must end soon.
 */
export async function drawMistakes(
  { model, loss, preprocessing }: StepParts,
  data: Dataset,
  options: {
    readonly count: number;
    readonly execution: ExecutionOptions;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Picture | undefined> {
  const { count, execution, signal } = options;
  if (!isIndexed(data) || signal?.aborted) return undefined;
  const part = data.size > mostImages ? data.select(Array.from({ length: mostImages }, (_, index) => index)) : data;
  const evaluated = await evaluate(model, part, { loss, preprocessing, mistakes: count, execution, signal }).catch(
    (error: unknown) => {
      if (signal?.aborted) return undefined;
      throw error;
    },
  );
  const mistakes = evaluated?.mistakes ?? [];
  if (mistakes.length === 0) return undefined;
  const captions = mistakes.map(({ predicted, actual }) => `${data.classes[predicted]}, not ${data.classes[actual]}`);
  for await (const batch of part.select(mistakes.map(({ index }) => index)).batches({ batch: count }))
    return sheetOf(batch, captions);
  return undefined;
}

function isIndexed(data: Dataset): data is IndexedDataset {
  return "select" in data;
}

async function sheetOf({ images, shape }: Pick<Batch, "images" | "shape">, captions: string[]): Promise<Picture> {
  const bytes = images instanceof Uint8Array ? images : stretchToBytes(images);
  const png = await contactSheet({ images: bytes, shape }, { captions });
  // A PNG begins with its signature (8 bytes) and the header's length and name (8 bytes). Width and height follow.
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  return { width, height, channels: 3, png };
}
