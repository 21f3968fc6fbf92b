import { existsSync } from "node:fs";
import type { IndexedDataset } from "@convkit/datasets";
import type { QuantizationReport } from "@convkit/predict";
import type { Context } from "../terminal/context.ts";
import { bytes as sized, grouped, percent, table } from "../terminal/format.ts";
import { choice, offering, required, text, type ValuesOf, whole } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { dataNames } from "../inputs/known-names.ts";
import { placeOptions } from "../inputs/data-options.ts";
import { modelOptions } from "../inputs/model-options.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = {
  ...modelOptions,
  data: required(
    offering(
      text("<name-or-folder>", "images: training images for the scales, test images for the accuracy"),
      dataNames,
    ),
  ),
  ...placeOptions,
  calibration: choice(["min-max", "percentile", "entropy"], "<kind>", "how ranges are found (default: min-max)"),
  images: whole(1, "<n>", "images for the scales (default: 256)"),
  split: choice(["train", "validation", "test"], "<name>", "images for the accuracy (default: test)"),
  limit: whole(1, "<n>", "at most so many images for the accuracy"),
  maxDrop: {
    value: "<percent>",
    about: "points that the accuracy may fall before layers stay in float32 (default: 1)",
    read: points,
  },
  runtime: choice(["openvino", "onnxruntime"], "<name>", "what runs the network (default: openvino)"),
};

function points(given: string): number {
  const value = Number(given);
  if (given.trim() === "" || !(value >= 0 && value <= 100))
    throw new UsageError(`Expected --max-drop to be a number from 0 to 100, got "${given}".`);
  return value;
}

/** `convkit quantize`: an int8 ONNX file of a model, and its accuracy before and after. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string, out: string): Promise<void> {
  const { data: source, dataFrom, outside, calibration, images, split, limit, maxDrop, runtime, ...modelGiven } = given;
  if (!/\.onnx$/i.test(out)) throw new UsageError(`${out} must end in .onnx: that is the format of int8 networks.`);
  const path = userPath(out);
  if (existsSync(path)) throw new UsageError(`${out} is there already: remove it, or give another name.`);
  const { writeFileAtomic } = await import("@convkit/files");
  const { quantize } = await import("@convkit/predict");
  const { inputOf, resolveModel } = await import("../inputs/model-source.ts");
  const { matchModelClasses } = await import("../inputs/model-classes.ts");
  const { loadSplits } = await import("../inputs/load-data.ts");
  const { storedRun } = await import("../inputs/run-directory.ts");
  const { resizedSplits } = await import("../inputs/run-splits.ts");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  await engineInUse(context);
  const { seed, threads } = context.options;
  const note = (line: string): void => context.out.note(line);
  const resolved = await resolveModel(name, modelGiven, seed, note);
  if (resolved.isUntrained)
    throw new UsageError(`${name} has random weights: give --weights imagenet or a file of weights.`);
  const { model, preprocessing, classes, images: fit } = resolved;
  const image = inputOf(model, fit);
  const loaded = await loadSplits(context, { data: source, dataFrom, outside, seed, image, fit });
  const run = await storedRun(userPath(name)).catch(() => undefined);
  const splits = run === undefined ? loaded : resizedSplits(loaded, run.plan, image);
  const test = split === undefined ? (splits.test ?? splits.validation ?? splits.train) : splits[split];
  if (test === undefined) throw new UsageError(`${source} has no images for --split ${split}.`);
  const matched = (data: IndexedDataset) =>
    stoppable(matchModelClasses(context.out, data, { name, classes }), context.signal);
  note(`Quantizing with ${grouped(Math.min(images ?? 256, splits.train.size))} images of ${splits.name} …`);
  const { bytes, report } = await quantize(model, stoppable(splits.train, context.signal), {
    calibration,
    images,
    test: matched(test),
    testImages: limit,
    maxDrop: maxDrop === undefined ? undefined : maxDrop / 100,
    preprocessing,
    runtime,
    threads,
  });
  await writeFileAtomic(path, bytes);
  const { accuracy, ms, bytes: sizes, ...others } = report;
  const seconds = { before: ms.float32 / 1000, after: ms.int8 / 1000 };
  const accuracies = accuracy === undefined ? null : { before: accuracy.float32, after: accuracy.int8 };
  context.out.result(
    { written: path, bytes: sizes.int8, accuracy: accuracies, seconds, bytesBefore: sizes.float32, ...others },
    reportText(out, report),
  );
}

/** The same images, until Ctrl-C. */
function stoppable(data: IndexedDataset, signal: AbortSignal): IndexedDataset {
  return {
    ...data,
    async *batches(how) {
      for await (const batch of data.batches(how)) {
        signal.throwIfAborted();
        yield batch;
      }
    },
  };
}

function reportText(out: string, report: QuantizationReport): string {
  const { accuracy, agreement, ms, bytes, layers, images, error } = report;
  const rows = [
    ...(accuracy === undefined ? [] : [["accuracy", percent(accuracy.float32), percent(accuracy.int8)]]),
    ["ms an image", ms.float32.toFixed(3), ms.int8.toFixed(3)],
    ["size", sized(bytes.float32), sized(bytes.int8)],
  ];
  const same = agreement === undefined ? "" : `, the same class for ${percent(agreement)}`;
  const floats = layers.filter(({ isInt8 }) => !isInt8).map(({ name }) => name);
  return [
    `${out}: ${layers.length - floats.length} of ${layers.length} layers in int8, by ${report.runtime}; scales of ${grouped(images.calibration)} images`,
    ...(floats.length === 0 ? [] : [`in float32: ${floats.join(", ")}`]),
    "",
    table(["", "float32", "int8"], rows),
    "",
    `${grouped(images.test)} test images: outputs differ by ${percent(error)}${same}`,
  ].join("\n");
}
