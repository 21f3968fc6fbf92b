import { existsSync } from "node:fs";
import type { Target } from "@convkit/datasets";
import type { PredictorDescription } from "@convkit/predict";
import type { Context } from "../terminal/context.ts";
import { grouped, percent } from "../terminal/format.ts";
import { choice, flag, size, text, type ValuesOf, whole } from "../terminal/option.ts";
import { CliError, UsageError } from "../terminal/usage-error.ts";
import { headOptions } from "../inputs/model-options.ts";
import { thresholdOption } from "../inputs/threshold-option.ts";
import { preprocessingOption } from "../inputs/preprocessing-option.ts";
import { userPath } from "../inputs/user-path.ts";
import type { Answer, Opened } from "../inference/classify.ts";
import type { SegmentedImage } from "../inference/segment.ts";
import type { ImagePath } from "../inputs/image-paths.ts";
import type { StoredRun } from "../inputs/run-directory.ts";

export const options = {
  ...headOptions,
  ...preprocessingOption,
  input: size("image size"),
  top: whole(1, "<k>", "number of classes to print (default: 5)"),
  batch: whole(1, "<n>", "images at once"),
  runtime: choice(
    ["auto", "openvino", "onnxruntime", "tensorflow", "wasm"],
    "<name>",
    "what computes; auto measures (default: the engine)",
  ),
  precision: choice(["float32", "bfloat16"], "<name>", "of the computations"),
  tta: flag("averages over the image and its mirror image"),
  csv: text("<file>", "writes the best class of each image as CSV, its labels or its numbers"),
  threshold: thresholdOption,
  masks: text("<folder>", "writes the masks of a per-pixel network, and pictures of them"),
  strict: flag("stops at the first image of a folder that cannot be read"),
};

/** `convkit predict`: the most likely classes, the labels, numbers or masks of image files, a batch at a time. */
export async function run(
  context: Context,
  given: ValuesOf<typeof options>,
  name: string,
  images: readonly string[],
): Promise<void> {
  const {
    top = 5,
    batch = 32,
    tta = false,
    csv,
    masks,
    strict = false,
    runtime,
    precision,
    threshold,
    ...modelGiven
  } = given;
  if (threshold === "f1")
    throw new UsageError(
      "predict has no labels to judge by: evaluate --threshold f1 --write MODEL chooses thresholds.",
    );
  const missing = images.filter((image) => !existsSync(userPath(image)));
  if (missing.length > 0) throw new UsageError(`There is no file ${missing.join(", ")}: give image files or folders.`);
  const { storedRun } = await import("../inputs/run-directory.ts");
  const run = await storedRun(userPath(name));
  const targets = run && toldTargets(name, run);
  if (targets !== undefined && (tta || (given.top ?? threshold ?? masks) !== undefined))
    throw new UsageError(
      `${name} predicts ${Object.keys(targets).join(", ")}: leave out --tta, --top, --threshold and --masks.`,
    );
  const { imageExtensions } = await import("@convkit/datasets");
  const { classifierOf, openForward } = await import("../inference/classify.ts");
  const { decodedImages, imagePaths } = await import("../inputs/image-paths.ts");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const { openCsv } = await import("../outputs/csv-file.ts");
  const { countingBar } = await import("../terminal/progress.ts");
  const files = (await Promise.all(images.map(imagePaths))).flat();
  if (files.length === 0)
    throw new UsageError(`${images.join(", ")} holds no image: known are ${imageExtensions.join(", ")}.`);
  await engineInUse(context);
  const model = await openForward(context, name, modelGiven, {
    runtime,
    precision,
    // The engine has its threads already.
    ...(runtime !== undefined &&
      runtime !== "tensorflow" &&
      runtime !== "wasm" && { threads: context.options.threads }),
  });
  if (targets !== undefined) {
    const { predictTargets } = await import("../inference/predict-targets.ts");
    return predictTargets(context, model, { name, files, targets, batch, strict, csv });
  }
  if (model.output?.length === 4) {
    if (tta || (csv ?? given.top ?? threshold) !== undefined)
      throw new UsageError(`${name} tells a class for each pixel: leave out --tta, --csv, --top and --threshold.`);
    return predictMasks(context, model, { name, files, batch, strict, masks });
  }
  if (masks !== undefined) throw new UsageError(`--masks is for a class for each pixel, and ${name} has none.`);
  if (threshold !== undefined && !model.tellsLabels)
    throw new UsageError(`--threshold is for several labels, and ${name} tells one class an image: leave it out.`);
  const classifier = classifierOf(name, model, threshold);
  const bar = countingBar(context.out, files.length, "images");
  const answers: Answer[] = [];
  let count = 0;
  const rows =
    csv === undefined
      ? undefined
      : await openCsv(
          userPath(csv),
          model.tellsLabels ? ["image", "labels"] : ["image", "index", "label", "probability"],
        );
  try {
    for (let from = 0; from < files.length && !context.signal.aborted; from += batch) {
      const part = files.slice(from, from + batch);
      const { files: read, data } = await decodedImages(context, part, { ...classifier, strict });
      bar.update(Math.min(from + batch, files.length));
      if (read.length === 0) continue;
      count += read.length;
      const ranked = await classifier.classify(data, read.length, { mirror: tta, top });
      const answered: Answer[] = read.map((image, place) => ({ image, ...ranked[place]! }));
      // Answers that are written to a file are not kept in memory.
      if (rows === undefined) answers.push(...answered);
      else
        await rows.add(
          answered.map(({ image, predictions: [best], labels }) =>
            labels === undefined
              ? [image, best!.index, best!.label, best!.probability]
              : [image, labels.map(({ label }) => label).join("|")],
          ),
        );
    }
    if (!context.signal.aborted && count === 0)
      throw new CliError(`${images.join(", ")} holds no image that can be read.`);
    if (!context.signal.aborted) await rows?.done();
  } finally {
    bar.stop();
    await rows?.close();
    await classifier.dispose();
  }
  if (runtime === "auto") await tellRuntime(context, classifier.describe());
  if (csv === undefined) context.out.result(answers, answers.map(answerText).join("\n"));
  else context.out.result({ written: userPath(csv), images: count }, `${csv}: ${grouped(count)} images`);
}

/** The targets of a run of numbers, or of several targets; undefined for one target of classes, labels or masks. */
function toldTargets(name: string, { plan, targets = {} }: StoredRun): Readonly<Record<string, Target>> | undefined {
  const all = Object.values(targets);
  const kinds = all.map(({ kind }) => kind);
  if (all.length > 1 && kinds.includes("mask"))
    throw new UsageError(
      `${name} tells masks beside ${Object.keys(targets).join(", ")}: predict writes masks of a model with this one output.`,
    );
  if (all.length > 1 || kinds.includes("numbers")) return targets;
  const { numbers, targets: columns } = plan.columns ?? {};
  // Runs of older versions store the columns alone.
  if (all.length === 0 && numbers !== undefined) {
    const names = [numbers].flat();
    return { numbers: { kind: "numbers", names, shape: [names.length] } };
  }
  if (all.length === 0 && columns !== undefined)
    throw new UsageError(
      `${name} is a run of an older version, which does not say what its outputs tell: evaluate --csv writes all of them for images of a CSV file.`,
    );
  return undefined;
}

/** The classes of the pixels of images, a batch at a time. */
async function predictMasks(
  context: Context,
  model: Opened,
  given: {
    readonly name: string;
    readonly files: readonly ImagePath[];
    readonly batch: number;
    readonly strict: boolean;
    readonly masks: string | undefined;
  },
): Promise<void> {
  const { segmenter } = await import("../inference/segment.ts");
  const { imageShape } = await import("../inputs/image-shape.ts");
  const { decodedImages } = await import("../inputs/image-paths.ts");
  const { countingBar } = await import("../terminal/progress.ts");
  const { name, files, batch, strict, masks } = given;
  const shape = imageShape(name, model.input, model.fit);
  const { segment } = segmenter(model, shape, masks);
  const bar = countingBar(context.out, files.length, "images");
  const answers: SegmentedImage[] = [];
  try {
    for (let from = 0; from < files.length && !context.signal.aborted; from += batch) {
      const part = files.slice(from, from + batch);
      const { files: read, data } = await decodedImages(context, part, { shape, fit: model.fit, strict });
      bar.update(Math.min(from + batch, files.length));
      if (read.length > 0) answers.push(...(await segment(data, read)));
    }
    if (!context.signal.aborted && answers.length === 0) throw new CliError(`${name}: no image can be read.`);
  } finally {
    bar.stop();
    await model.forward.dispose();
  }
  const text = answers.map(({ image, classes, mask }) =>
    [
      mask === undefined ? image : `${image}: ${mask}`,
      ...classes.map(({ label, share }) => `  ${percent(share).padStart(9)}  ${label}`),
    ].join("\n"),
  );
  context.out.result(answers, text.join("\n"));
}

/** What computed, and why an installed runtime did not. */
async function tellRuntime({ out }: Context, described: PredictorDescription | undefined): Promise<void> {
  if (described === undefined) return;
  const { refusedRuntimes } = await import("@convkit/predict/internal");
  for (const text of refusedRuntimes(described)) out.note(text);
  out.note(`Computed by ${described.runtime}.`);
}

function answerText({ image, predictions, labels }: Answer): string {
  const told = labels === undefined ? "" : `: ${labels.map(({ label }) => label).join(", ") || "no label"}`;
  return [
    `${image}${told}`,
    ...predictions.map(({ label, probability }) => `  ${percent(probability).padStart(9)}  ${label}`),
  ].join("\n");
}
