import { dataNotes } from "../../inputs/data-notes.ts";
import { loadSplits } from "../../inputs/load-data.ts";
import { placeOptions, shardOptions, targetsGiven } from "../../inputs/data-options.ts";
import { userPath } from "../../inputs/user-path.ts";
import type { Context } from "../../terminal/context.ts";
import { grouped } from "../../terminal/format.ts";
import { aboveZero, flag, type ValuesOf, whole } from "../../terminal/option.ts";

export const options = {
  images: whole(1, "<n>", "images of a shard (default: 1000)"),
  bytes: whole(1, "<n>", "bytes of a shard at most (default: 1 GiB)"),
  gzip: flag("compresses the shards; they can then be read from their start only"),
  inOrder: flag("keeps the order of the images (default: random, by --seed)"),
  ...placeOptions,
  validation: aboveZero("<part>", "images or share of the training data for validation"),
  stratify: flag("the same share of each class in images that --validation draws"),
  ...shardOptions,
};

/** `convkit data shard`: writes the splits of a data set as WebDataset's tar shards. */
export async function run(
  context: Context,
  given: ValuesOf<typeof options>,
  data: string,
  target: string,
): Promise<void> {
  const { writeShards } = await import("@convkit/datasets");
  const { seed = 0 } = context.options;
  const { images, bytes, gzip, inOrder = false, ...source } = given;
  const { imageField, labelField, classNames, ...place } = source;
  const fields = targetsGiven({ imageField, labelField, classNames });
  // Files are copied as they are, whatever their size.
  const splits = await loadSplits(context, { data, ...place, seed, ...fields, image: [1, 1, 3] });
  const written = [];
  for (const split of ["train", "validation", "test"] as const) {
    const set = splits[split];
    if (set === undefined) continue;
    const how = { prefix: split, images, bytes, gzip, shuffle: !inOrder, seed };
    written.push({ split, ...(await writeShards(set, userPath(target), how)) });
    dataNotes(context.out, set)();
  }
  const lines = written.map(
    ({ split, files, images: count, bytes: size }) =>
      `${split}: ${grouped(count)} images in ${grouped(files.length)} shards, ${grouped(size)} bytes`,
  );
  context.out.result({ folder: userPath(target), splits: written }, [`${target}:`, ...lines].join("\n"));
}
