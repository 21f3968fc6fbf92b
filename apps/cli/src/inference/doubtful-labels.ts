import { relative } from "node:path";
import type { Context } from "../terminal/context.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { loadSplits } from "../inputs/load-data.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { userPath } from "../inputs/user-path.ts";
import { openSubject } from "./subject.ts";

/** A label that is probably wrong. */
export interface DoubtfulLabel {
  /** The file, relative to the folder. */
  readonly file: string;
  readonly split: string;
  /** The class by the folder, its probability, and the most probable class. */
  readonly label: string;
  readonly probability: number;
  readonly predicted: string;
}

/** Labels that are probably wrong by a model's probabilities, in each split, the least probable first. */
export async function doubtfulLabels(
  context: Context,
  { data, model }: { readonly data: string; readonly model: string },
): Promise<readonly DoubtfulLabel[]> {
  const { findLabelIssues } = await import("@convkit/datasets");
  await engineInUse(context);
  const subject = await openSubject(context, model, {});
  const splits = await loadSplits(context, { data, image: subject.image, fit: subject.fit });
  const found: DoubtfulLabel[] = [];
  for (const split of ["train", "validation", "test"] as const) {
    const set = splits[split];
    if (set === undefined) continue;
    if (set.targets !== undefined)
      throw new UsageError("--model finds wrong classes: the images must have one class each.");
    const matched = subject.matched(set);
    const [files, labels, probabilities]: [string[], number[], number[]] = [[], [], []];
    await subject.judge(matched, {
      signal: context.signal,
      onBatch(judged) {
        files.push(...Array.from(judged.indices, (index) => matched.describe(index)));
        labels.push(...judged.labels);
        for (const value of judged.probabilities) probabilities.push(Math.min(1, value));
      },
    });
    const width = probabilities.length / labels.length;
    for (const issue of findLabelIssues(labels, probabilities, width))
      found.push({
        file: relative(userPath(data), files[issue.index]!),
        split,
        label: matched.classes[issue.label]!,
        probability: issue.probability,
        predicted: matched.classes[issue.predicted]!,
      });
  }
  if (subject.run !== undefined && userPath(data) === subject.run.plan.data)
    context.out.note(
      "The model trained on these images, so it agrees with some wrong labels; a model of other images finds more.",
    );
  return found.toSorted((a, b) => a.probability - b.probability);
}
