import type { IndexedDataset, SkippedImage } from "../dataset/dataset.ts";
import { datasetFrom, type OpenSource } from "../dataset/indexed-dataset.ts";
import { DataError } from "../data-error.ts";
import { checkImageOptions, encodedReader, type ImageOptions, leaveOut, storeFor } from "../folders/image-files.ts";
import type { StoredTargets } from "../dataset/targets.ts";
import { decodeInto, imageSize } from "../images/decode.ts";
import { decodingFailure } from "../images/decoding-failure.ts";
import { decodeFiles, type FilesDecoding } from "../images/decode-files.ts";
import { defaultPixelLimit } from "../images/decode-options.ts";
import { type ImageReader, keeping } from "../images/image-cache.ts";
import type { ImageSource } from "../images/image-source.ts";
import { RecordStream } from "./record-stream.ts";
import type { RecordTable } from "./record-table.ts";
import { windowOrder } from "./window-order.ts";

/** The records of one split. */
export interface RecordImages {
  readonly name: string;
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  /** Labels and numbers in place of classes; missing for classes. */
  readonly targets?: StoredTargets | undefined;
  readonly table: RecordTable;
  /** The number of records from which a shuffled epoch draws. */
  readonly window: number;
  /** The encoded images of a shard in their order. */
  images(file: string): AsyncGenerator<Uint8Array>;
}

/** Makes a data set from records. Images of streamed shards are read in the order of the epoch, the others by their places. */
export async function recordImages(records: RecordImages, options: ImageOptions): Promise<IndexedDataset> {
  checkImageOptions(options);
  const { name, classes, labels, targets, table, window } = records;
  const { strict = false, memory = 512 * 2 ** 20, channels = 3, orient = true } = options;
  const { pixelLimit = defaultPixelLimit } = options;
  const skipped: SkippedImage[] = [];
  const { size, usable } = await look(records, options, skipped);
  const decoding: FilesDecoding = { ...options, size, channels, orient, pixelLimit };
  const bytes = size[0] * size[1] * channels;
  const store = await storeFor(decoding, options);
  const open = (places: Int32Array): OpenSource => {
    const { sourcesOf, release, close } = openRecords(records, places);
    const decode: ImageReader = async (wanted) => {
      const sources = await sourcesOf(wanted.map(({ index }) => index));
      return decodeFiles(
        wanted.map(({ target }, place) => ({ source: sources[place]!, target })),
        decoding,
      );
    };
    const read = keeping(decode, store, encodedReader(sourcesOf));
    return {
      async read(indices, images) {
        const failures = await read(
          Array.from(indices, (index, place) => ({
            index,
            target: (images as Uint8Array).subarray(place * bytes, (place + 1) * bytes),
          })),
        );
        await release(indices);
        return leaveOut(failures, { strict, skipped, name: (place) => table.describe(indices[place]!) });
      },
      close,
    };
  };
  const isStreamed = table.streamed.length > 0;
  const data = datasetFrom({
    name,
    classes,
    shape: [size[0], size[1], channels],
    dtype: "uint8",
    labels,
    targets,
    decoding: { size: [size[0], size[1]], resize: options.resize ?? "bilinear", crop: options.crop ?? false, orient },
    skipped,
    decodedCache: store?.use,
    prefetch: 2,
    memory,
    describe: (index) => table.describe(index),
    shuffled: (chosen, how) => windowOrder((record) => table.shardOf(record), chosen, { window, ...how }),
    open,
    async read(indices, images) {
      const { read, close } = open(indices);
      const missing = await read(indices, images);
      await close();
      return missing ?? [];
    },
    ...(isStreamed
      ? {
          isStream: `read as a stream, since ${table.streamed[0]} has no place for each image; unpack it or leave balanced out`,
        }
      : { encoded: (index: number) => table.spanOf(index) }),
  });
  return usable.length === table.count ? data : data.select(usable);
}

interface OpenRecords {
  sourcesOf(records: readonly number[]): Promise<ImageSource[]>;
  /** Says that records are not wanted again. */
  release(records: Int32Array): Promise<void>;
  close(): Promise<void>;
}

function openRecords({ table, images }: Pick<RecordImages, "table" | "images">, places: Int32Array): OpenRecords {
  if (table.streamed.length === 0)
    return {
      sourcesOf: async (wanted) => wanted.map((record) => table.spanOf(record)),
      release: async () => {},
      close: async () => {},
    };
  const { files, firsts, count } = table;
  const stream = new RecordStream({ files, firsts, count, images, shardOf: (record) => table.shardOf(record) }, places);
  return {
    async sourcesOf(wanted) {
      const taken = await stream.take(wanted);
      return taken.map((bytes, place) => ({ bytes, name: table.describe(wanted[place]!) }));
    },
    release: (done) => stream.release(done),
    close: () => stream.close(),
  };
}

/**
 * The size of the images, and the records that can be used. Images are read if no size is given, or if all are to be
 * checked. Throws a DataError if no size is given and the images differ in size.
 */
async function look(
  records: RecordImages,
  options: ImageOptions,
  skipped: SkippedImage[],
): Promise<{ size: readonly [number, number]; usable: Int32Array }> {
  const { table, name } = records;
  const { size, check = "head", strict = false, orient, pixelLimit } = options;
  const all = Int32Array.from({ length: table.count }, (_, record) => record);
  if (size !== undefined && check !== "all") return { size, usable: all };
  const { sourcesOf, release, close } = openRecords(records, all);
  let common: { readonly size: readonly [number, number]; readonly record: number } | undefined;
  const isUnusable = new Set<number>();
  try {
    for (let from = 0; from < all.length; from += 64) {
      const part = all.subarray(from, from + 64);
      const sources = await sourcesOf([...part]);
      const sizes = await Promise.all(
        sources.map(async (source) => {
          try {
            if (check === "all") await decodeInto(new Uint8Array(3), source, { orient, pixelLimit, size: [1, 1] });
            return await imageSize(source, { orient, pixelLimit });
          } catch (error) {
            if (strict) throw error;
            return error as Error;
          }
        }),
      );
      await release(part);
      for (const [place, found] of sizes.entries()) {
        const record = part[place]!;
        if (found instanceof Error) {
          skipped.push({ file: table.describe(record), reason: decodingFailure(found) });
          isUnusable.add(record);
          continue;
        }
        common ??= { size: found, record };
        if (size === undefined && (common.size[0] !== found[0] || common.size[1] !== found[1]))
          throw new DataError(
            `${name} has images of different sizes (${common.size.join("x")} ${table.describe(common.record)}, ${found.join("x")} ${table.describe(record)}); give the size to bring them to`,
          );
      }
    }
  } finally {
    await close();
  }
  if (common === undefined)
    throw new DataError(`${name} has no image that can be read: ${skipped[0]?.file}: ${skipped[0]?.reason}`);
  return { size: size ?? common.size, usable: all.filter((record) => !isUnusable.has(record)) };
}
