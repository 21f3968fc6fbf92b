import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DataError, reasonOf } from "../data-error.ts";
import { byCodePoint } from "../folders/class-names.ts";
import type { SplitName } from "../folders/class-folders.ts";
import { isCifarFolder } from "../published/cifar-set.ts";
import { isIdxFolder } from "../published/idx-set.ts";
import type { ShardFormat } from "./shard-format.ts";
import { parquetFormat } from "./parquet-format.ts";
import { tarFormat } from "./tar-format.ts";
import { tfrecordFormat } from "./tfrecord-format.ts";

const formats: readonly ShardFormat[] = [tarFormat, parquetFormat, tfrecordFormat];

/** Shards of one format by their split. */
export interface ShardFiles {
  readonly format: ShardFormat;
  readonly splits: Readonly<Partial<Record<SplitName, readonly string[]>>>;
  /** The folder of the first shard. */
  readonly folder: string;
}

const splitNames: readonly (readonly [SplitName, RegExp])[] = [
  ["train", /^train(?:ing)?$/],
  ["validation", /^val(?:id(?:ation)?)?$/],
  ["test", /^test(?:ing)?$/],
];

/** True for names such as `shards-{000000..000009}.tar`. */
export function isShardPattern(path: string): boolean {
  return /\{[^{}]*(?:\.\.|,)[^{}]*\}/.test(path) && formatOf(path) !== undefined;
}

/** True for a file with the name of a shard, a pattern of such names, or a folder that holds shards and no other folders. */
export function areShards(path: string): boolean {
  if (isShardPattern(path)) return true;
  if (!isFolder(path)) return formatOf(path) !== undefined;
  if (isIdxFolder(path) || isCifarFolder(path)) return false;
  const entries = visible(path);
  const folders = entries.filter((name) => isFolder(join(path, name)));
  const inside = folders.map((name) => visible(join(path, name)).some((each) => formatOf(each) !== undefined));
  const here = entries.some((name) => !folders.includes(name) && formatOf(name) !== undefined);
  return folders.length === 0 ? here : inside.every(Boolean);
}

/**
 * The shards that a path names: one file, a pattern (`shards-{000000..000009}.tar`, `{train,test}-0.tar`), or a folder,
 * also with `train/`, `test/` or `data/` in it. The words train, validation and test in a name tell the split. Throws a
 * DataError for shards of several formats.
 */
export function shardFiles(path: string): ShardFiles {
  const files = isShardPattern(path) ? expand(path) : isFolder(path) ? filesUnder(path) : [path];
  const [first] = files;
  const format = first === undefined ? undefined : formatOf(first);
  if (first === undefined || format === undefined) throw new DataError(`${path} holds no shards`);
  const other = files.find((file) => formatOf(file) !== format);
  if (other !== undefined)
    throw new DataError(`${path} holds shards of two kinds, ${first} and ${other}; name one of them`);
  const splits: Partial<Record<SplitName, string[]>> = {};
  for (const file of files) (splits[splitOf(file.slice(path.length), file) ?? "train"] ??= []).push(file);
  const found = Object.values(splits);
  // Shards of one split are what is asked for, whatever their name.
  return { format, splits: found.length === 1 ? { train: found[0]! } : splits, folder: join(first, "..") };
}

function formatOf(file: string): ShardFormat | undefined {
  return formats.find(({ matches }) => matches.test(file));
}

/** The split by the words of the file's name, else by its folder in the data set. */
function splitOf(within: string, file: string): SplitName | undefined {
  const wordsOf = (text: string) => text.toLowerCase().split(/[^a-z]+/);
  for (const words of [wordsOf(basename(file)), wordsOf(within)])
    for (const [split, pattern] of splitNames) if (words.some((word) => pattern.test(word))) return split;
  return undefined;
}

/** Lists the names of a pattern: `{08..11}` counts with the zeros as written, `{a,b}` names each. */
function expand(pattern: string): string[] {
  const [whole, inside] = /\{([^{}]*)\}/.exec(pattern) ?? [];
  if (whole === undefined || inside === undefined) return [pattern];
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(inside) ?? [];
  const isRange = from !== undefined && to !== undefined;
  if (isRange && Number(to) - Number(from) >= 1_000_000)
    throw new DataError(`${pattern} names more than a million shards`);
  const parts = isRange
    ? Array.from({ length: Math.max(0, Number(to) - Number(from) + 1) }, (_, place) =>
        String(Number(from) + place).padStart(from.length, "0"),
      )
    : inside.split(",");
  return parts.flatMap((part) => expand(pattern.replace(whole, () => part)));
}

function filesUnder(folder: string): string[] {
  return visible(folder)
    .toSorted(byCodePoint)
    .flatMap((name) => {
      const path = join(folder, name);
      if (isFolder(path)) return filesUnder(path);
      return formatOf(name) === undefined ? [] : [path];
    });
}

function visible(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch (error) {
    throw new DataError(`${folder} cannot be read: ${reasonOf(error)}`);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
