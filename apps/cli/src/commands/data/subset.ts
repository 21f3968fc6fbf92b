import type { Context } from "../../terminal/context.ts";
import { grouped } from "../../terminal/format.ts";
import { flag, text, type ValuesOf } from "../../terminal/option.ts";
import { UsageError } from "../../terminal/usage-error.ts";
import { userPath } from "../../inputs/user-path.ts";

export const options = {
  train: text("<from:to>", "training images of each class"),
  validation: text("<from:to>", "validation images of each class"),
  test: text("<from:to>", "test images of each class"),
  link: flag("links instead of copies"),
};

/** `convkit data subset`: a smaller data set with its own splits, such as cats_vs_dogs_small from Kaggle's flat folder. */
export async function run(
  { out }: Context,
  given: ValuesOf<typeof options>,
  source: string,
  target: string,
): Promise<void> {
  const ranges = Object.fromEntries(
    (["train", "validation", "test"] as const).flatMap((split) =>
      given[split] === undefined ? [] : [[split, rangeOf(split, given[split])]],
    ),
  );
  if (Object.keys(ranges).length === 0)
    throw new UsageError("Give at least one of --train, --validation and --test, as in --train 0:1000.");
  const { subset } = await import("@convkit/datasets");
  const result = await subset(userPath(source), userPath(target), ranges, { link: given.link ?? false });
  const counts = Object.entries(result.files).map(([split, count]) => `${split} ${grouped(count ?? 0)}`);
  out.result(result, `${result.folder}: ${counts.join(", ")} files`);
}

function rangeOf(split: string, range: string): [number, number] {
  const match = /^(\d+):(\d+)$/.exec(range);
  if (match === null || Number(match[1]) >= Number(match[2]))
    throw new UsageError(`--${split} must be a range such as 0:1000, not "${range}".`);
  return [Number(match[1]), Number(match[2])];
}
