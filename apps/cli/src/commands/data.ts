import {
  augmentationFrom,
  type AugmentationSpec,
  contactSheet,
  dataSets,
  fetchData,
  packagesSeenFrom,
  subset as makeSubset,
  verifyData,
} from "@convkit/datasets";
import { writeFileAtomic } from "@convkit/trainer";
import * as tf from "@tensorflow/tfjs-core";
import type { Context } from "../terminal/context.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { grouped, table } from "../terminal/format.ts";
import { type DataOptions, loadSplits } from "../inputs/load-data.ts";
import { countingBar } from "../terminal/progress.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";

const resolve = packagesSeenFrom(import.meta.url);

/** `convkit data list`: the data sets with a name, and where they lie. */
export function listData({ out }: Context): void {
  const rows = Object.entries(dataSets).map(([name, set]) => ({
    name,
    title: set.title,
    shape: set.shape,
    train: set.train,
    test: set.test,
    classes: set.classes.length,
    licence: set.licence,
    path: placeOf(set) ?? null,
  }));
  const cells = rows.map((row) => [
    row.name,
    row.title,
    row.shape.join("x"),
    grouped(row.train),
    grouped(row.test),
    String(row.classes),
    row.path === null ? "no" : "yes",
  ]);
  out.result(rows, table(["data", "what", "image", "train", "test", "classes", "here"], cells, { left: 2 }));
}

function placeOf(set: (typeof dataSets)[keyof typeof dataSets]): string | undefined {
  try {
    return set.find({ resolve });
  } catch {
    return undefined;
  }
}

/** `convkit data verify`: every byte against what was published. */
export async function verify({ out }: Context, name: string, options: { readonly from?: string }): Promise<void> {
  known(name);
  const path = await verifyData(name, {
    resolve,
    from: options.from === undefined ? undefined : userPath(options.from),
  });
  out.result({ name, path, whole: true }, `${name} is whole: ${path}`);
}

/** `convkit data fetch`: brings a data set into the cache. */
export async function fetch(
  { out, signal }: Context,
  name: string,
  options: { readonly from?: string },
): Promise<void> {
  known(name);
  let bar: ReturnType<typeof countingBar> | undefined;
  const path = await fetchData(name, {
    resolve,
    signal,
    from: options.from,
    onProgress: (progress) => {
      if (progress.total === undefined) return;
      bar ??= countingBar(out, progress.total, "bytes");
      bar.update(progress.bytes);
    },
  }).finally(() => bar?.stop());
  out.result({ name, path }, `${name} lies in ${path}`);
}

/** `convkit data subset`: cats_vs_dogs_small from Kaggle's flat folder, and the like. */
export async function subset(
  { out }: Context,
  source: string,
  target: string,
  options: Readonly<Record<"train" | "validation" | "test", string | undefined>> & { readonly link?: boolean },
): Promise<void> {
  const ranges = Object.fromEntries(
    (["train", "validation", "test"] as const).flatMap((split) =>
      options[split] === undefined ? [] : [[split, rangeOf(split, options[split])]],
    ),
  );
  if (Object.keys(ranges).length === 0)
    throw new UsageError("Give at least one of --train, --validation and --test, as in --train 0:1000.");
  const result = await makeSubset(userPath(source), userPath(target), ranges, { link: options.link ?? false });
  const counts = Object.entries(result.files).map(([split, count]) => `${split} ${grouped(count ?? 0)}`);
  out.result(result, `${result.folder}: ${counts.join(", ")} files`);
}

/** `convkit data preview`: some images of a data set on one sheet, augmented if asked. */
export async function preview(
  context: Context,
  data: string,
  options: Omit<DataOptions, "data"> & {
    readonly out: string;
    readonly count?: number;
    readonly augment?: string;
    readonly size?: readonly [number, number];
  },
): Promise<void> {
  const { seed = 0 } = context.options;
  const { out, count = 36, augment, size, ...rest } = options;
  const image = size && ([...size, 3] as const);
  const splits = await loadSplits(context, { ...rest, data, seed, ...(image && { image }) });
  for await (const batch of splits.train.batches({ batch: count, shuffle: true, seed })) {
    const captions = [...batch.labels].map((label) => splits.train.classes[label]!);
    const images = augment === undefined ? batch.images : await augmented(context, batch.images, batch.shape, augment);
    await writeFileAtomic(userPath(out), await contactSheet({ images, shape: batch.shape }, { captions }));
    context.out.result(
      { written: userPath(out), images: batch.labels.length },
      `${out}: ${batch.labels.length} images of ${splits.train.name}`,
    );
    return;
  }
}

async function augmented(
  context: Context,
  images: Uint8Array | Float32Array,
  shape: [number, number, number, number],
  json: string,
): Promise<Float32Array> {
  await engineInUse(context);
  let spec: AugmentationSpec;
  try {
    spec = JSON.parse(json) as AugmentationSpec;
  } catch {
    throw new UsageError(`--augment must be JSON, as in '{"flip": "horizontal", "rotation": 0.1}', not ${json}.`);
  }
  const result = tf.tidy(() => augmentationFrom(spec)(tf.tensor4d(Float32Array.from(images), shape)));
  const values = await result.data<"float32">();
  result.dispose();
  return values;
}

function known(name: string): void {
  if (!Object.hasOwn(dataSets, name))
    throw new UsageError(`Unknown data set "${name}": known are ${Object.keys(dataSets).join(", ")}.`);
}

function rangeOf(split: string, text = ""): [number, number] {
  const match = /^(\d+):(\d+)$/.exec(text);
  if (match === null || Number(match[1]) >= Number(match[2]))
    throw new UsageError(`--${split} must be a range such as 0:1000, not "${text}".`);
  return [Number(match[1]), Number(match[2])];
}
