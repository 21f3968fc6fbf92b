import type { Slice } from "../inference/slices.ts";
import type { RobustnessReport } from "../outputs/robustness-page.ts";
import type { Context } from "../terminal/context.ts";
import { grouped, percent, table } from "../terminal/format.ts";
import { choice, offering, required, text, type ValuesOf, whole } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { checkHtmlName } from "../outputs/html-name.ts";
import { dataNames } from "../inputs/known-names.ts";
import { placeOptions } from "../inputs/data-options.ts";
import { modelOptions } from "../inputs/model-options.ts";
import { preprocessingOption } from "../inputs/preprocessing-option.ts";
import { userPath } from "../inputs/user-path.ts";

export const options = {
  ...modelOptions,
  ...preprocessingOption,
  data: required(offering(text("<name-or-folder>", "images to judge on"), dataNames)),
  ...placeOptions,
  split: choice(["test", "validation", "train"], "<name>", "which images"),
  limit: whole(1, "<n>", "at most so many images"),
  batch: whole(1, "<n>", "images at once"),
  kinds: text("<names>", "corruptions as a,b (default: all; jpeg is one, frost needs --frost)"),
  frost: text("<files>", "photographs for the corruption frost, as a.png,b.jpg, as large as the images or larger"),
  severities: text("<numbers>", "from 1 to 5, as 1,3,5 (default: all)"),
  out: text("<file.html>", "writes a page with curves by severity"),
};

/** `convkit robustness`: accuracy on corrupted images, by class, by confidence and by the size of the files. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string): Promise<void> {
  const { data: source, dataFrom, outside, split, limit, batch, kinds, frost, severities, out, ...modelGiven } = given;
  if (out !== undefined) checkHtmlName(out);
  const levels = severities?.split(",").map(Number);
  if (levels?.some((level) => !Number.isInteger(level) || level < 1 || level > 5))
    throw new UsageError(`Expected --severities as whole numbers from 1 to 5, as 1,3,5, got ${severities}.`);
  const { corruptionNames, evaluateRobustness } = await import("@convkit/inspect");
  const { changedData, jpeg, photosOf } = await import("../inference/corrupted-data.ts");
  const { openSubject } = await import("../inference/subject.ts");
  const { sliceLimits, slicesOf } = await import("../inference/slices.ts");
  const { evaluationData } = await import("../inputs/evaluation-data.ts");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const known = [...corruptionNames, "jpeg"];
  const named = kinds?.split(",").map((kind) => kind.trim());
  const strange = named?.find((kind) => !known.includes(kind));
  if (strange !== undefined) throw new UsageError(`Unknown corruption "${strange}": there are ${known.join(", ")}.`);
  if (named?.includes("frost") === true && frost === undefined)
    throw new UsageError("The corruption frost needs photographs: give them with --frost a.png,b.jpg.");
  const photos = await photosOf((frost?.split(",") ?? []).map((path) => userPath(path.trim())));
  await engineInUse(context);
  const subject = await openSubject(context, name, modelGiven);
  const { seed } = context.options;
  const chosen = await evaluationData(context, {
    model: name,
    data: source,
    split,
    dataFrom,
    outside,
    limit,
    seed,
    image: subject.image,
    fit: subject.fit,
    run: subject.run,
  });
  const data = subject.matched(chosen.data);
  const isGray = data.shape[2] === 1;
  const left = [...(isGray ? ["saturate"] : []), ...(photos.length === 0 ? ["frost"] : [])];
  const wanted = named ?? known.filter((kind) => !left.includes(kind));
  const slices = slicesOf(data);
  let byClass: readonly { readonly label: string; readonly recall: number; readonly support: number }[] = [];
  const settings = { signal: context.signal, ...(batch !== undefined && { batch }) };
  const robustness = await evaluateRobustness(
    async (change) => {
      if (change !== undefined) return (await subject.judge(changedData(data, change), settings)).accuracy;
      const { accuracy, perClass } = await subject.judge(data, {
        ...settings,
        onBatch: (judged) => slices.add(judged),
      });
      byClass = perClass;
      return accuracy;
    },
    {
      kinds: wanted,
      severities: levels,
      seed,
      photos,
      others: { jpeg },
      onResult: ({ kind, severity, accuracy }) => context.out.note(`${kind} ${severity}: ${percent(accuracy).trim()}`),
    },
  );
  const result: RobustnessReport = {
    model: name,
    data: chosen.name,
    split: chosen.split,
    images: data.size,
    ...robustness,
    slices: {
      byClass: byClass.map(({ label, recall, support }) => ({ label, images: support, accuracy: recall })),
      byConfidence: slices.byConfidence(),
      bySize: slices.bySize(),
    },
  };
  if (out !== undefined) {
    const { writeFileAtomic } = await import("@convkit/files");
    const { robustnessPage } = await import("../outputs/robustness-page.ts");
    await writeFileAtomic(userPath(out), robustnessPage(result));
  }
  const written = out === undefined ? "" : `\n\nWritten: ${out}`;
  context.out.result(result, robustnessText(result, sliceLimits) + written);
}

function robustnessText(report: RobustnessReport, limitsOf: (slice: Slice, unit: "%" | "pixels") => string): string {
  const { clean, mean, results, byKind, slices } = report;
  const levels = [...new Set(results.map(({ severity }) => severity))];
  const kinds = Object.keys(byKind).map((kind) => [
    kind,
    ...results.filter((each) => each.kind === kind).map(({ accuracy }) => percent(accuracy)),
    percent(byKind[kind]!),
  ]);
  const share = (accuracy: number | null): string => (accuracy === null ? "" : percent(accuracy));
  const sliced = (some: readonly Slice[], unit: "%" | "pixels") =>
    some.map((slice) => [limitsOf(slice, unit), grouped(slice.images), share(slice.accuracy)]);
  const { byClass, byConfidence, bySize } = slices;
  return [
    `${report.data} ${report.split}, ${grouped(report.images)} images: accuracy ${percent(clean).trim()}, corrupted ${percent(mean).trim()} on average`,
    table(["corruption", ...levels.map((level) => `severity ${level}`), "mean"], kinds),
    table(["confidence", "images", "accuracy"], sliced(byConfidence, "%")),
    ...(bySize.length === 0 ? [] : [table(["longer side", "images", "accuracy"], sliced(bySize, "pixels"))]),
    table(
      ["class", "images", "accuracy"],
      byClass.map(({ label, images, accuracy }) => [label, grouped(images), percent(accuracy)]),
    ),
  ].join("\n\n");
}
