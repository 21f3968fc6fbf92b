import { type Batch, contactSheet, type Dataset, type IndexedDataset } from "@convkit/datasets";
import { executable, type ExecutionOptions } from "@convkit/graph";
import { hasAccuracy, type OutputTask } from "../objective/output-tasks.ts";
import { evaluate } from "../step/evaluate.ts";
import { stretchToBytes } from "../tensorboard/stretch.ts";
import type { StepParts } from "../step/training-loss.ts";
import type { Picture } from "../tensorboard/event-file.ts";

/** The most images to search for mistakes: a large data set must not cost a second validation. */
const mostImages = 2000;

/** Draws the first images of the first epoch on one sheet, augmented as in its first step. */
export async function drawFirstBatch(
  { augment, layout }: StepParts,
  data: Dataset,
  { count, seed, execution }: { readonly count: number; readonly seed: number; readonly execution: ExecutionOptions },
): Promise<Picture | undefined> {
  for await (const batch of data.batches({ batch: count, shuffle: true, seed, epoch: 0 })) {
    const captions = Array.from(batch.labels, (_, place) => captionOf(batch, data, place));
    if (augment === undefined) return sheetOf(batch, captions);
    const change = executable((...fed) => {
      const { images, targets } = layout.tensors(fed);
      return [augment.change(images, targets[augment.target ?? Object.keys(targets)[0]!]!).images];
    }, execution);
    const [changed] = await change.run(layout.feeds(batch));
    await change.dispose();
    const [, h, w, c] = changed!.shape as [number, number, number, number];
    // With the loss of AugMix, two more views come behind the images.
    const first = changed!.data.subarray(0, captions.length * h * w * c);
    const images = batch.images instanceof Uint8Array ? Uint8ClampedArray.from(first) : stretchToBytes(first);
    return sheetOf({ images: new Uint8Array(images.buffer), shape: [captions.length, h, w, c] }, captions);
  }
  return undefined;
}

/**
 * Draws the wrong predictions with the highest probability on one sheet; undefined if there are none, or if `signal`
 * aborts: an interrupted run must end soon.
 */
export async function drawMistakes(
  { model, tasks, preprocessing }: StepParts,
  data: Dataset,
  options: {
    readonly count: number;
    readonly execution: ExecutionOptions;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Picture | undefined> {
  const { count, execution, signal } = options;
  const [{ loss }] = tasks as readonly [OutputTask];
  if (!isIndexed(data) || signal?.aborted || data.targets !== undefined || !hasAccuracy(tasks[0]!)) return undefined;
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

/** The class of an image, its labels, or its numbers. */
function captionOf({ labels, targets }: Batch, data: Dataset, place: number): string {
  const [named] = Object.entries(data.targets ?? {});
  if (named === undefined) return data.classes[labels[place]!]!;
  const [name, { kind, names, shape }] = named;
  if (kind === "mask") return "";
  if (kind === "class") return names[targets![name]![place]!]!;
  const own = Array.from(targets![name]!.subarray(place * shape[0]!, (place + 1) * shape[0]!));
  if (kind === "numbers") return own.map((value) => String(Number(value.toPrecision(4)))).join(", ");
  return names.filter((_, label) => own[label] === 1).join(", ");
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
