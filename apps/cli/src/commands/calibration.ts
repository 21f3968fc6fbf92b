import type { IndexedDataset } from "@convkit/datasets";
import type { EvaluationData, EvaluationOptions } from "../inputs/evaluation-data.ts";
import type { Context } from "../terminal/context.ts";
import { grouped, percent, table } from "../terminal/format.ts";
import { choice, flag, offering, required, text, type ValuesOf, whole } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { checkHtmlName } from "../outputs/html-name.ts";
import { dataNames } from "../inputs/known-names.ts";
import { placeOptions } from "../inputs/data-options.ts";
import { modelOptions } from "../inputs/model-options.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = {
  ...modelOptions,
  data: required(offering(text("<name-or-folder>", "images to judge on"), dataNames)),
  ...placeOptions,
  split: choice(["test", "validation", "train"], "<name>", "which images"),
  limit: whole(1, "<n>", "at most so many images of each split"),
  batch: whole(1, "<n>", "images at once (default: 32)"),
  bins: whole(1, "<n>", "bins of confidence (default: 15)"),
  fit: flag("finds a temperature on other images: the validation images, or else half of the images"),
  out: text("<file.html>", "writes a page with the reliability diagram"),
  write: text(
    "<model>",
    "with --fit, writes the model with its logits divided by the temperature, by the file's ending",
  ),
};

/** `convkit calibration`: how far a model's probabilities are from how often it is right. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string): Promise<void> {
  const {
    data: source,
    dataFrom,
    outside,
    split,
    limit,
    batch = 32,
    bins,
    fit = false,
    out,
    write,
    ...modelGiven
  } = given;
  if (write !== undefined && !fit) throw new UsageError("--write stores the temperature that --fit finds: give both.");
  if (out !== undefined) checkHtmlName(out);
  const { writeFileAtomic } = await import("@convkit/files");
  const { applyTemperature, calibration, temperatureScaling } = await import("@convkit/inspect");
  const { imageLogits } = await import("../inference/logits.ts");
  const { evaluationData } = await import("../inputs/evaluation-data.ts");
  const { matchModelClasses } = await import("../inputs/model-classes.ts");
  const { inputOf, resolveModel } = await import("../inputs/model-source.ts");
  const { storedRun } = await import("../inputs/run-directory.ts");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const { calibrationPage } = await import("../outputs/calibration-page.ts");
  const { countingBar } = await import("../terminal/progress.ts");
  await engineInUse(context);
  const { seed } = context.options;
  const resolved = await resolveModel(name, modelGiven, seed, (note) => context.out.note(note));
  const wanted = {
    model: name,
    data: source,
    dataFrom,
    outside,
    limit,
    seed,
    image: inputOf(resolved.model, resolved.images),
    fit: resolved.images,
    run: await storedRun(userPath(name)),
  };
  const chosen = await evaluationData(context, { ...wanted, split });
  const matched = (data: IndexedDataset) => matchModelClasses(context.out, data, { name, classes: resolved.classes });
  const judge = async (data: IndexedDataset) => {
    const bar = countingBar(context.out, data.size, "images");
    const settings = { batch, signal: context.signal, onBatch: (seen: number) => bar.update(seen) };
    return imageLogits(resolved, data, settings).finally(() => bar.stop());
  };
  const parts = fit ? await fittingParts(context, wanted, chosen) : { judged: chosen.data, fitted: undefined };
  const judged = await judge(matched(parts.judged));
  const before = calibration(judged, { bins });
  const temperature =
    parts.fitted === undefined ? undefined : temperatureScaling(await judge(matched(parts.fitted))).temperature;
  const after = temperature === undefined ? undefined : calibration(judged, { bins, temperature });
  const images = judged.labels.length;
  const { name: dataName } = chosen;
  if (out !== undefined) {
    const report = { model: name, data: `${dataName} ${chosen.split}`, images, before, after, temperature };
    await writeFileAtomic(userPath(out), calibrationPage(report));
  }
  if (write !== undefined && temperature !== undefined) {
    const { saveModel } = await import("@convkit/weights");
    applyTemperature(resolved.model, temperature);
    const { classes, preprocessing, name: modelName } = resolved;
    await saveModel(resolved.model, userPath(write), {
      metadata: { name: modelName, ...(classes !== undefined && { classes }), preprocessing, images: resolved.images },
    });
  }
  const rows = [before, ...(after === undefined ? [] : [after])].map(({ ece, mce, nll }, index) => [
    index === 0 ? "model" : `divided by ${temperature!.toFixed(4)}`,
    ece.toFixed(4),
    mce.toFixed(4),
    nll.toFixed(4),
  ]);
  const filled = before.bins.filter(({ count }) => count > 0);
  context.out.result(
    {
      model: name,
      data: dataName,
      split: chosen.split,
      images,
      ...(temperature !== undefined && { temperature, fittedOn: parts.fitted!.size }),
      before,
      ...(after !== undefined && { after }),
      ...(write !== undefined && { written: userPath(write) }),
    },
    [
      `${dataName} ${chosen.split}, ${grouped(images)} images: accuracy ${percent(before.accuracy)}`,
      table(["", "expected error", "largest error", "negative log-likelihood"], rows),
      table(
        ["confidence", "images", "mean", "accuracy"],
        filled.map((bin) => [
          `${Math.round(100 * bin.from)} to ${Math.round(100 * bin.to)} %`,
          grouped(bin.count),
          percent(bin.confidence),
          percent(bin.accuracy),
        ]),
      ),
      ...[out, write].flatMap((path) => (path === undefined ? [] : [`Written: ${path}`])),
    ].join("\n\n"),
  );
}

/** The images to judge, and others to find the temperature on. */
async function fittingParts(
  context: Context,
  wanted: Omit<EvaluationOptions, "split">,
  chosen: EvaluationData,
): Promise<{ judged: IndexedDataset; fitted: IndexedDataset }> {
  const { splitOff } = await import("@convkit/datasets");
  const { evaluationData } = await import("../inputs/evaluation-data.ts");
  if (chosen.split !== "validation") {
    try {
      const { data } = await evaluationData(context, { ...wanted, split: "validation" });
      return { judged: chosen.data, fitted: data };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
  }
  const [judged, fitted] = splitOff(chosen.data, 0.5, { seed: context.options.seed });
  context.out.note(`The temperature is found on ${fitted.size} of the images, and judged on the other ${judged.size}.`);
  return { judged, fitted };
}
