import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import type { OptionNames } from "@convkit/errors";
import pMap from "p-map";
import { DataError, reasonOf } from "../data-error.ts";
import type { DataSplits, IndexedDataset } from "../dataset/dataset.ts";
import type { SplitName } from "../folders/class-folders.ts";
import { columnNames, type CsvColumns } from "../folders/csv-targets.ts";
import { imageOptionNames, type ImageOptions, pickImageOptions } from "../folders/image-files.ts";
import { checkNames } from "../images/decode-options.ts";
import { numberClasses } from "./class-labels.ts";
import { recordImages } from "./record-images.ts";
import { recordTargets, valueFields } from "./record-values.ts";
import { RecordTable } from "./record-table.ts";
import { shardFiles } from "./shard-files.ts";
import type { RecordFields, ShardFormat } from "./shard-format.ts";

export interface ShardOptions extends ImageOptions {
  /** The fields of image and label, and the names of the classes; found by themselves by default. */
  readonly columns?: CsvColumns | undefined;
  /** The number of records from which a shuffled epoch draws each next one; 1024 by default. */
  readonly window?: number | undefined;
}

export const shardOptionNames: OptionNames<ShardOptions> = { ...imageOptionNames, columns: true, window: true };

/**
 * Loads images from shards, files with many images each: WebDataset's tar files, Parquet files in Hugging Face's layout, or TFRecord files. `path` is a file, a folder or a pattern
 * such as `shards-{000000..000009}.tar`; the words train, validation and test in names tell the splits. All labels are
 * read, and images are left where they are until a batch needs them. Throws a DataError that names the shard for
 * damaged or empty files, records without image or label, and labels that are no class. With `columns.labels` and `columns.numbers` the
 * records have several labels and numbers, as rows of a CSV file have.
 */
export async function imageShards(path: string, options: ShardOptions = {}): Promise<DataSplits<IndexedDataset>> {
  checkNames("imageShards", options, shardOptionNames);
  const { columns = {}, window = 1024 } = options;
  checkNames("imageShards columns", columns, columnNames);
  const other = Object.entries(columns).find(
    ([name, value]) => value !== undefined && !["image", "label", "classes", "labels", "numbers"].includes(name),
  );
  if (other !== undefined)
    throw new DataError(
      `${path}: columns.${other[0]} is for CSV files; shards have columns.image, label, classes, labels and numbers`,
    );
  const hasValues = valueFields(columns).length > 0;
  if (hasValues && (columns.label ?? columns.classes) !== undefined)
    throw new DataError(`${path}: expected a class (columns.label), or columns.labels and numbers of shards, got both`);
  if (!Number.isInteger(window) || window < 1)
    throw new DataError(`window should be a whole number from 1, not ${window}`);
  const { format, splits, folder } = shardFiles(path);
  const name = nameOf(path);
  const listed: (readonly [SplitName, RecordTable])[] = [];
  for (const [split, files] of Object.entries(splits))
    listed.push([split as SplitName, await listShards(format, files, columns)]);
  const tables = listed.map(([, table]) => table);
  const targets = hasValues ? recordTargets(name, tables, columns) : undefined;
  const known = columns.classes ?? (await classesBeside(folder)) ?? tables.map((table) => table.classes).find(Boolean);
  const { classes, labels } = hasValues
    ? { classes: [], labels: tables.map(({ count }) => new Int32Array(count)) }
    : numberClasses(path, tables, known);
  const loaded: Partial<Record<SplitName, IndexedDataset>> = {};
  for (const [place, [split, table]] of listed.entries())
    loaded[split] = await recordImages(
      {
        name: `${name}/${split}`,
        classes,
        labels: labels[place]!,
        ...(targets && { targets: targets[place]! }),
        table,
        window,
        images: (file) => format.images(file, columns),
      },
      pickImageOptions(options),
    );
  const { train, ...others } = loaded;
  if (train === undefined) throw new DataError(`${path} has no shard of the train split`);
  return { name, train, ...others };
}

async function listShards(format: ShardFormat, files: readonly string[], fields: RecordFields): Promise<RecordTable> {
  const shards = await pMap(files, (file) => format.list(file, fields), { concurrency: availableParallelism() });
  const empty = shards.findIndex(({ records }) => records.length === 0);
  if (empty >= 0) throw new DataError(`${files[empty]} holds no record of ${format.name}`);
  return new RecordTable(files, shards);
}

/** The lines of `classes.txt` beside the shards, as `writeShards` writes it. */
async function classesBeside(folder: string): Promise<readonly string[] | undefined> {
  const file = join(folder, "classes.txt");
  try {
    return (await readFile(file, "utf8")).split(/\r?\n/).filter((line) => line !== "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new DataError(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

function nameOf(path: string): string {
  return (
    basename(path)
      .replace(/[-_.]?\{.*$/, "")
      .replace(/\.(?:tar|tgz|tar\.gz|parquet|tfrecords?)$/i, "") || "shards"
  );
}
