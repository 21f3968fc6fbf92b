import assert from "node:assert";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { decodeImage, loadData, type LoadOptions, readCifar, readIdx, writeCifar } from "@convkit/datasets";
import { bitmap } from "./images.ts";
import type { Subject } from "./subject.ts";

interface ImageCases {
  readonly cases: readonly { readonly name: string; readonly base64: string }[];
}

const images = (
  JSON.parse(
    readFileSync(new URL("../../../../packages/datasets/test/golden/formats.json", import.meta.url), "utf8"),
  ) as ImageCases
).cases;

const idx = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, ...Array.from({ length: 24 }, (_, i) => i)]);

/** A subject of one file. */
function oneFile(name: string, file: string, bytes: Buffer, use: (file: string) => Promise<unknown>): Subject {
  return {
    name,
    files: [file],
    async prepare(folder) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, file), bytes);
    },
    use: async (folder) => void (await use(join(folder, file))),
  };
}

/** Reads every image of every split. */
async function readAll(file: string, options: LoadOptions = {}): Promise<void> {
  const { train, validation, test } = await loadData(file, { size: [4, 4], workers: 1, ...options });
  for (const set of [train, validation, test]) {
    if (set === undefined) continue;
    for await (const batch of set.batches({ batch: 8 })) batch.release?.();
  }
}

/** Reads a folder of images, of which one may be damaged: each is read as it is read alone, or left out and told with a reason. */
async function readFolder(folder: string): Promise<void> {
  const { train } = await loadData(folder, { size: [4, 4], workers: 1 });
  const read = new Map<string, Uint8Array>();
  for await (const { images, indices } of train.batches({ batch: 4 }))
    for (const [place, index] of indices.entries())
      read.set(train.describe(index), Uint8Array.from(images.slice(place * 48, (place + 1) * 48)));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of files.map(({ parentPath, name }) => join(parentPath, name))) {
    const told = train.skipped.find((each) => each.file === file)?.reason;
    const alone = await decodeImage(file, { size: [4, 4] }).catch((error: unknown) => error as Error);
    if (alone instanceof Error) assert.ok(told, `${file} was left out without a word: ${alone.message}`);
    else assert.deepStrictEqual(read.get(file), alone.data, file);
  }
  // The same folder is refused by name where nothing may be left out.
  await readAll(folder, { strict: true, check: "all" });
  assert.strictEqual(train.skipped.length, 0, "left out, and yet not refused");
}

interface Shards {
  readonly cases: readonly { readonly tar: string }[];
}

const shards = (
  JSON.parse(
    readFileSync(new URL("../../../../packages/datasets/test/golden/shards.json", import.meta.url), "utf8"),
  ) as Shards
).cases.map(({ tar }) => gunzipSync(Buffer.from(tar, "base64")));

interface ParquetFiles {
  readonly cases: readonly { readonly name: string; readonly parquet: string }[];
}

const parquetFiles = (
  JSON.parse(
    readFileSync(new URL("../../../../packages/datasets/test/golden/parquet.json", import.meta.url), "utf8"),
  ) as ParquetFiles
).cases.map(({ parquet }) => gunzipSync(Buffer.from(parquet, "base64")));

const tfrecord = JSON.parse(
  readFileSync(new URL("../../../../packages/datasets/test/golden/tfrecord.json", import.meta.url), "utf8"),
) as { readonly plain: string; readonly gzip: string };

const { files: masks, shape } = JSON.parse(
  readFileSync(new URL("../../../../packages/datasets/test/golden/masks.json", import.meta.url), "utf8"),
) as { readonly files: readonly { readonly png: string }[]; readonly shape: readonly [number, number] };

/** Writes images by their names, behind a prefix. */
function writeListed(folder: string, names: readonly string[], prefix = ""): void {
  for (const name of names) {
    const { base64 } = images.find((each) => each.name === name)!;
    writeFileSync(join(folder, `${prefix}${name}`), Buffer.from(base64, "base64"));
  }
}

const listed = ["RGB.bmp", "palette.png", "exif2.jpg"];

export const dataSubjects: readonly Subject[] = [
  oneFile("idx", "images.idx", idx, readIdx),
  oneFile("gz", "images.idx.gz", gzipSync(idx), readIdx),
  oneFile(
    "cifar",
    "batch.bin",
    Buffer.from(writeCifar({ images: new Uint8Array(2 * 3072).fill(9), labels: [3, 5] })),
    (file) => readCifar(file),
  ),
  {
    name: "images",
    async prepare(folder) {
      mkdirSync(folder, { recursive: true });
      for (const { name, base64 } of images) writeFileSync(join(folder, name), Buffer.from(base64, "base64"));
    },
    use: async (folder, { file }) => void (await decodeImage(join(folder, file), { size: [4, 4] })),
  },
  {
    name: "csv",
    files: ["list.csv"],
    async prepare(folder) {
      mkdirSync(folder, { recursive: true });
      const rows = listed.flatMap((name, i) => [`${name},${i === 0 ? "cat" : "dog"},train`, `copy-${name},cat,test`]);
      writeFileSync(join(folder, "list.csv"), ["path,label,split", ...rows].join("\n"));
      writeListed(folder, listed);
      writeListed(folder, listed, "copy-");
    },
    use: (folder) => readAll(join(folder, "list.csv")),
    // An image that the list names wrongly is told by its own name.
    names: /list|damaged/,
  },
  {
    name: "labels-csv",
    files: ["list.csv"],
    async prepare(folder) {
      mkdirSync(folder, { recursive: true });
      const rows = listed.map((name, i) => `${name},${i === 0 ? "cat" : "cat|dog"},${i / 4},${-i},train`);
      writeFileSync(join(folder, "list.csv"), ["path,kinds,height,width,split", ...rows, ...rows].join("\n"));
      writeListed(folder, listed);
    },
    use: (folder) =>
      readAll(join(folder, "list.csv"), {
        columns: {
          targets: {
            kinds: { kind: "labels", columns: "kinds" },
            sizes: { kind: "numbers", columns: ["height", "width"] },
          },
        },
      }),
    names: /list|damaged/,
  },
  {
    name: "masks",
    async prepare(folder) {
      const [height, width] = shape;
      const image = bitmap(99, width, height);
      for (const [place, { png }] of masks.entries())
        for (const [kind, bytes, ending] of [
          ["images", image, "bmp"],
          ["masks", Buffer.from(png, "base64"), "png"],
        ] as const) {
          mkdirSync(join(folder, kind), { recursive: true });
          writeFileSync(join(folder, kind, `${place}.${ending}`), bytes);
        }
      writeFileSync(join(folder, "classes.txt"), Array.from({ length: 256 }, (_, i) => `class ${i}`).join("\n"));
    },
    use: (folder) => readAll(folder, { strict: true, check: "all" }),
    // What the classes of a folder do not fit is told of its masks, and the reverse.
    names: /damaged/,
  },
  ...shards.map((bytes, place) => oneFile(`tar-${place}`, "shard.tar", bytes, (file) => readAll(file))),
  oneFile("tar-gz", "shard.tar.gz", gzipSync(shards[0]!), (file) => readAll(file)),
  // As datasets wrote it, and with Zstandard and pages of version 2.
  ...[0, 6].map((place) =>
    oneFile(`parquet-${place}`, "shard.parquet", parquetFiles[place]!, (file) =>
      readAll(file, place === 0 ? {} : { columns: { image: "img", label: "class" } }),
    ),
  ),
  oneFile("tfrecord", "shard.tfrecord", Buffer.from(tfrecord.plain, "base64"), (file) => readAll(file)),
  oneFile("tfrecord-gz", "shard.tfrecord", Buffer.from(tfrecord.gzip, "base64"), (file) => readAll(file)),
  {
    name: "image-folder",
    async prepare(folder) {
      for (const [place, name] of ["a/0.png", "a/1.jpg", "b/0.bmp", "b/1.webp"].entries()) {
        const file = join(folder, name);
        mkdirSync(dirname(file), { recursive: true });
        const ending = name.slice(name.lastIndexOf("."));
        const { base64 } = images.filter((each) => each.name.endsWith(ending))[place % 2]!;
        writeFileSync(file, Buffer.from(base64, "base64"));
      }
    },
    use: (folder) => readFolder(folder),
  },
];
