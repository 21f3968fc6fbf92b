import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createGzip, type Gzip } from "node:zlib";
import { type AtomicFile, openAtomicFile, withLock, writeFileAtomic } from "@convkit/files";
import { type OptionNames, shown } from "@convkit/errors";
import sharp from "sharp";
import { DataError } from "../data-error.ts";
import type { IndexedDataset } from "../dataset/dataset.ts";
import { encodedImagesOf } from "../dataset/indexed-dataset.ts";
import { checkNames } from "../images/decode-options.ts";
import { imageFormat } from "../images/image-format.ts";
import { contentOf } from "../images/image-content.ts";
import { permutation } from "../random/permutation.ts";

export interface WriteShardsOptions {
  /** What the files' names begin with; "shards" by default. Readers take the words train, validation and test for the split. */
  readonly prefix?: string | undefined;
  /** The most images of a shard; 1000 by default. */
  readonly images?: number | undefined;
  /** The most bytes of a shard, unless one image has more; 1 GiB by default. */
  readonly bytes?: number | undefined;
  /** Whether shards are gzipped; false by default. Gzipped shards can only be read from their start. */
  readonly gzip?: boolean | undefined;
  /**
   * Whether images are written in a random order, so that a window over the shards has all classes; true by default.
   */
  readonly shuffle?: boolean | undefined;
  /** Seed of the order; 0 by default. */
  readonly seed?: number | undefined;
}

/** What `writeShards` wrote. */
export interface WrittenShards {
  readonly files: readonly string[];
  readonly images: number;
  /** Bytes of all files. */
  readonly bytes: number;
}

const optionNames: OptionNames<WriteShardsOptions> = {
  prefix: true,
  images: true,
  bytes: true,
  gzip: true,
  shuffle: true,
  seed: true,
};

/**
 * Writes a data set as WebDataset's tar shards, `folder/<prefix>-000000.tar` and so on, and its classes as
 * `classes.txt`. Image files are copied byte for byte; images without a file become PNG. Each shard appears whole or not
 * at all. Throws a DataError for images that cannot be encoded, for streams, and for a folder that holds shards of that prefix or of
 * other classes already: readers would take both for one data set. A second writer of the same shards waits for the first.
 */
export async function writeShards(
  data: IndexedDataset,
  folder: string,
  options: WriteShardsOptions = {},
): Promise<WrittenShards> {
  checkNames("writeShards", options, optionNames);
  const { prefix = "shards", images = 1000, bytes = 2 ** 30, gzip = false, shuffle = true, seed = 0 } = options;
  for (const [name, value] of Object.entries({ images, bytes }))
    if (!Number.isInteger(value) || value < 1)
      throw new DataError(`writeShards: ${name} should be a whole number from 1, not ${shown(value)}`);
  if (!/^[^/\\{}]+$/.test(prefix))
    throw new DataError(`writeShards: prefix should be part of a file's name, not ${shown(prefix)}`);
  if (data.targets !== undefined) throw new DataError(`${data.name}: shards are written of images with one class each`);
  const encode = encoderOf(data);
  return withLock(join(folder, `.${prefix}.lock`), async () => {
    await refuseOthers(data, folder, prefix);
    const order = shuffle ? permutation(data.size, seed) : Int32Array.from({ length: data.size }, (_, image) => image);
    const written: { file: string; bytes: number }[] = [];
    let shard: Shard | undefined;
    const end = async () => {
      if (shard !== undefined) written.push({ file: shard.path, bytes: await shard.commit() });
      shard = undefined;
    };
    try {
      for (const [place, image] of order.entries()) {
        const { content, ending } = await encode(image);
        if (shard !== undefined && (shard.images >= images || shard.size + content.length > bytes)) await end();
        shard ??= await openShard(
          join(folder, `${prefix}-${String(written.length).padStart(6, "0")}.tar${gzip ? ".gz" : ""}`),
          gzip,
        );
        const key = String(place).padStart(9, "0");
        await shard.add(`${key}.${ending}`, content);
        await shard.add(`${key}.cls`, Buffer.from(String(data.labels[image])));
        shard.images += 1;
      }
      await end();
    } finally {
      await shard?.discard();
    }
    await writeFileAtomic(join(folder, classesFile), classesText(data));
    return {
      files: written.map(({ file }) => file),
      images: data.size,
      bytes: written.reduce((sum, each) => sum + each.bytes, 0),
    };
  });
}

const classesFile = "classes.txt";
const classesText = ({ classes }: IndexedDataset): string => `${classes.join("\n")}\n`;

/** Refuses a folder in which readers would mix the new shards with others. */
async function refuseOthers(data: IndexedDataset, folder: string, prefix: string): Promise<void> {
  const isShard = (name: string) =>
    name.startsWith(`${prefix}-`) && /^\d{6,}\.tar(\.gz)?$/.test(name.slice(prefix.length + 1));
  const there = (await readdir(folder)).find(isShard);
  if (there !== undefined)
    throw new DataError(`${join(folder, there)} is there already: remove the older shards, or choose another folder`);
  const file = join(folder, classesFile);
  const older = await readFile(file, "utf8").catch(() => undefined);
  if (older !== undefined && older !== classesText(data))
    throw new DataError(`${file} names other classes than ${data.name}: choose another folder`);
}

type Encoded = (image: number) => Promise<{ content: Uint8Array; ending: string }>;

const endings: Readonly<Record<string, string>> = { jpeg: "jpg", tiff: "tif" };

function encoderOf(data: IndexedDataset): Encoded {
  const encoded = encodedImagesOf(data);
  if (data.classes.some((name) => /[\r\n]/.test(name)))
    throw new DataError(`${data.name}: expected names of classes on one line each`);
  if (encoded !== undefined)
    return async (image) => {
      const content = await contentOf(encoded(image));
      const format = imageFormat(content);
      if (format === undefined) throw new DataError(`${data.describe(image)} is no image that can be read`);
      return { content, ending: endings[format] ?? format };
    };
  const [h, w, c] = data.shape;
  if (data.decoding !== undefined) throw new DataError(`${data.name} is read as a stream; unpack it to write it anew`);
  if (data.dtype !== "uint8" || (c !== 1 && c !== 3))
    throw new DataError(
      `${data.name}: expected bytes of 1 or 3 channels to write as images, found ${data.dtype} of ${c}`,
    );
  return async (image) => {
    for await (const { images } of data.select([image]).batches({ batch: 1 }))
      return {
        content: await sharp(images as Uint8Array, { raw: { width: w, height: h, channels: c } })
          .png()
          .toBuffer(),
        ending: "png",
      };
    throw new DataError(`${data.describe(image)} cannot be read`);
  };
}

interface Shard {
  readonly path: string;
  images: number;
  readonly size: number;
  add(name: string, content: Uint8Array): Promise<void>;
  /** Returns the bytes of the file. */
  commit(): Promise<number>;
  discard(): Promise<void>;
}

const block = 512;

/** The header of a file in ustar format. It has no owner and no time: equal images give equal shards. */
function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(block);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  header.write(name, 0);
  for (const [at, value, digits] of [
    [100, 0o644, 7],
    [108, 0, 7],
    [116, 0, 7],
    [124, size, 11],
    [136, 0, 11],
  ] as const)
    header.write(octal(value, digits), at);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  // The sum of all bytes, with spaces in its own place.
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}

async function openShard(path: string, gzip: boolean): Promise<Shard> {
  const file = await openAtomicFile(path);
  const packed = gzip ? gzipInto(file) : undefined;
  const append = async (bytes: Uint8Array) => (packed === undefined ? file.append(bytes) : packed.append(bytes));
  let size = 0;
  return {
    path,
    images: 0,
    get size() {
      return size;
    },
    async add(name, content) {
      const header = tarHeader(name, content.length);
      const rest = Buffer.alloc((block - (content.length % block)) % block);
      await append(Buffer.concat([header, content, rest]));
      size += header.length + content.length + rest.length;
    },
    async commit() {
      await append(Buffer.alloc(2 * block));
      await packed?.end();
      const bytes = file.position;
      await file.commit();
      return bytes;
    },
    discard: () => file.discard(),
  };
}

/** Writes gzipped bytes into a file. */
function gzipInto(file: AtomicFile): { append(bytes: Uint8Array): Promise<void>; end(): Promise<void> } {
  const gzip: Gzip = createGzip();
  const ended = new AbortController();
  const copied = (async () => {
    try {
      for await (const chunk of gzip) await file.append(chunk as Buffer);
    } finally {
      ended.abort();
    }
  })();
  copied.catch(() => {});
  return {
    async append(bytes) {
      // A copy that failed never drains; its own error is thrown then.
      if (!gzip.write(bytes)) await once(gzip, "drain", { signal: ended.signal }).catch(() => copied);
    },
    async end() {
      gzip.end();
      await copied;
    },
  };
}
