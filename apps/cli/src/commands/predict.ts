import { existsSync } from "node:fs";
import { imageExtensions } from "@convkit/datasets";
import { type Predictor, predictor, topClasses } from "@convkit/predict";
import type { Context } from "../terminal/context.ts";
import { openCsv } from "../outputs/csv-file.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { grouped, percent } from "../terminal/format.ts";
import { decodedImages, foundImages } from "../inputs/image-paths.ts";
import { imageShape } from "../inputs/image-shape.ts";
import { mirror } from "../inference/flip-average.ts";
import { countingBar } from "../terminal/progress.ts";
import { type ModelOptions, resolveModel } from "../inputs/model-source.ts";
import { isSavedModel, openSavedModel } from "../inputs/saved-model.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";

interface Options extends Omit<ModelOptions, "top"> {
  /** How many classes are told. */
  readonly top?: number | boolean;
  readonly batch?: number;
  readonly tta?: boolean;
  readonly csv?: string;
  readonly strict?: boolean;
}

interface Prediction {
  readonly index: number;
  readonly label: string;
  readonly probability: number;
}

interface Answer {
  readonly image: string;
  readonly predictions: readonly Prediction[];
}

/** `convkit predict`: the most likely classes of image files, a batch at a time. */
export async function predict(
  context: Context,
  name: string,
  images: readonly string[],
  options: Options,
): Promise<void> {
  const { top, batch = 32, tta = false, csv, strict = false, ...modelOptions } = options;
  const missing = images.filter((image) => !existsSync(userPath(image)));
  if (missing.length > 0) throw new UsageError(`There is no file ${missing.join(", ")}: give image files or folders.`);
  const files = (await Promise.all(images.map(foundImages))).flat();
  if (files.length === 0)
    throw new UsageError(`${images.join(", ")} holds no image: known are ${imageExtensions.join(", ")}.`);
  await engineInUse(context);
  const saved = isSavedModel(name) ? await openSavedModel(context, name) : undefined;
  const resolved = saved === undefined ? await resolveModel(name, modelOptions, context.options.seed) : undefined;
  const shape = imageShape(name, saved?.input ?? resolved!.model.inputs[0]!.shape);
  const forward: Predictor =
    saved === undefined
      ? predictor(resolved!.model, { preprocessing: resolved!.preprocessing })
      : { predict: saved.classify, dispose: saved.dispose };
  const known = saved?.metadata.classes ?? resolved?.classes ?? [];
  const bar = countingBar(context.out, files.length, "images");
  const kept = typeof top === "number" ? top : 5;
  const answers: Answer[] = [];
  let count = 0;
  const table =
    csv === undefined ? undefined : await openCsv(userPath(csv), ["image", "index", "label", "probability"]);
  try {
    for (let from = 0; from < files.length && !context.signal.aborted; from += batch) {
      const { files: part, data } = await decodedImages(context, files.slice(from, from + batch), shape, strict);
      bar.update(Math.min(from + batch, files.length));
      if (part.length === 0) continue;
      count += part.length;
      const scores = await scoresOf(forward, data, [part.length, ...shape], tta);
      const width = scores.length / part.length;
      const answered = part.map((image, place) => {
        const row = scores.subarray(place * width, (place + 1) * width);
        return { image, predictions: ranked(row, known, kept) };
      });
      // With a file for them, answers need no memory.
      if (table === undefined) answers.push(...answered);
      else
        await table.add(
          answered.map(({ image, predictions: [best] }) => [image, best!.index, best!.label, best!.probability]),
        );
    }
    if (!context.signal.aborted && count === 0)
      throw new Error(`${images.join(", ")} holds no image that can be read.`);
    if (!context.signal.aborted) await table?.done();
  } finally {
    bar.stop();
    await table?.close();
    await forward.dispose();
  }
  if (csv === undefined) context.out.result(answers, answers.map(told).join("\n"));
  else context.out.result({ written: userPath(csv), images: count }, `${csv}: ${grouped(count)} images`);
}

async function scoresOf(
  forward: Predictor,
  data: Uint8Array,
  shape: readonly [number, number, number, number],
  mirrored: boolean,
): Promise<Float32Array> {
  const scores = (await forward.predict({ data, shape })).data;
  if (!mirrored) return scores;
  const others = (await forward.predict({ data: mirror(data, shape[2], shape[3]), shape })).data;
  return scores.map((score, index) => (score + others[index]!) / 2);
}

function ranked(scores: Float32Array, classes: readonly string[], count: number): Prediction[] {
  const table = scores.length === 1 ? Float32Array.of(1 - scores[0]!, scores[0]!) : scores;
  return topClasses(table, Math.min(count, table.length)).map((index) => ({
    index,
    label: classes[index] ?? String(index),
    probability: table[index]!,
  }));
}

function told({ image, predictions }: Answer): string {
  return [
    image,
    ...predictions.map(({ label, probability }) => `  ${percent(probability).padStart(9)}  ${label}`),
  ].join("\n");
}
