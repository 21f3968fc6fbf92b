import { existsSync } from "node:fs";
import { decodeImage } from "@convkit/datasets";
import { predictor, topClasses } from "@convkit/trainer";
import type { Context } from "./context.ts";
import { engineInUse } from "./engine-in-use.ts";
import { percent } from "./format.ts";
import { type ModelOptions, resolveModel, type ResolvedModel } from "./resolve-model.ts";
import { UsageError } from "./usage-error.ts";
import { userPath } from "./user-path.ts";

interface Options extends Omit<ModelOptions, "top"> {
  /** How many classes are told. */
  readonly top?: number | boolean;
}

interface Prediction {
  readonly index: number;
  readonly label: string;
  readonly probability: number;
}

/** `convkit predict`: the most likely classes of image files. */
export async function predict(
  context: Context,
  name: string,
  images: readonly string[],
  options: Options,
): Promise<void> {
  const { top, ...modelOptions } = options;
  const missing = images.filter((image) => !existsSync(userPath(image)));
  if (missing.length > 0) throw new UsageError(`There is no file ${missing.join(", ")}: give image files.`);
  await engineInUse(context);
  const resolved = await resolveModel(name, modelOptions, context.options.seed);
  const [height, width, channels] = imageShape(resolved);
  const forward = predictor(resolved.model, { preprocessing: resolved.preprocessing });
  const results: { image: string; predictions: Prediction[] }[] = [];
  try {
    for (const image of images) {
      if (context.signal.aborted) return;
      const { data } = await decodeImage(userPath(image), { size: [height, width], channels });
      const scores = (await forward.predict({ data, shape: [1, height, width, channels] })).data;
      results.push({ image, predictions: ranked(scores, resolved.classes, typeof top === "number" ? top : 5) });
    }
  } finally {
    await forward.dispose();
  }
  const text = results.map(({ image, predictions }) =>
    [image, ...predictions.map(({ label, probability }) => `  ${percent(probability).padStart(9)}  ${label}`)].join(
      "\n",
    ),
  );
  context.out.result(results, text.join("\n"));
}

/** The image size a model takes; where it takes any, 224 by 224. */
function imageShape({ model, name }: ResolvedModel): [number, number, 1 | 3] {
  const [, height, width, channels] = model.inputs[0]!.shape;
  if (channels !== 1 && channels !== 3)
    throw new Error(`${name} takes arrays of ${String(channels)} channels, not images: use convkit run.`);
  return [height ?? 224, width ?? 224, channels];
}

function ranked(scores: Float32Array, classes: readonly string[] | undefined, count: number): Prediction[] {
  const table = scores.length === 1 ? Float32Array.of(1 - scores[0]!, scores[0]!) : scores;
  return topClasses(table, Math.min(count, table.length)).map((index) => ({
    index,
    label: classes?.[index] ?? String(index),
    probability: table[index]!,
  }));
}
