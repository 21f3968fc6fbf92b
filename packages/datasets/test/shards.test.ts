import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import sharp from "sharp";
import { Header } from "tar";
import { describe, expect, test } from "vitest";
import {
  type Batch,
  batchPart,
  type BatchOptions,
  type Dataset,
  fromArrays,
  imageFiles,
  loadData,
  type Part,
  shardSamples,
  splitFolds,
  writeShards,
} from "../src/index.ts";
import { RecordStream } from "../src/records/record-stream.ts";
import { windowOrder } from "../src/records/window-order.ts";
import { put, temporaryFolder } from "./temporary.ts";

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    readonly tar: string;
    readonly samples: readonly { readonly key: string; readonly parts: Readonly<Record<string, string>> }[];
  }[];
  readonly written: { readonly images: readonly string[]; readonly tar: string };
}

const golden = JSON.parse(readFileSync(new URL("golden/shards.json", import.meta.url), "utf8")) as Golden;
const unpacked = (tar: string) => gunzipSync(Buffer.from(tar, "base64"));

async function png(seed: number): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: 6 * 5 * 3 }, (_, i) => (i * 7 + seed * 31) % 256);
  return sharp(pixels, { raw: { width: 5, height: 6, channels: 3 } })
    .png()
    .toBuffer();
}

/** A tar archive of files, with whatever their headers should say. */
function tar(
  entries: readonly {
    readonly name: string;
    readonly content?: Uint8Array;
    readonly size?: number;
    readonly type?: string;
  }[],
  end = true,
): Buffer {
  const blocks = entries.flatMap(({ name, content = new Uint8Array(), size = content.length, type = "File" }) => {
    const header = Buffer.alloc(512);
    new Header({ path: name, size, mode: 0o644, type: type as "File" }).encode(header);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(end ? 1024 : 0)]);
}

/** A folder of class folders, `count` images in all. */
async function imagesInFolder(count: number): Promise<string> {
  const folder = temporaryFolder();
  for (let i = 0; i < count; i++)
    put(folder, `${["cat", "dog", "emu"][i % 3]}/${String(i).padStart(3, "0")}.png`, await png(i));
  return folder;
}

async function batchesOf(
  data: Dataset,
  options: Partial<BatchOptions>,
): Promise<Pick<Batch, "images" | "labels" | "indices">[]> {
  const made: Pick<Batch, "images" | "labels" | "indices">[] = [];
  for await (const { images, labels, indices } of data.batches({ batch: 4, shuffle: true, seed: 3, ...options }))
    made.push({ images: images.slice(), labels, indices });
  return made;
}

/** The batches of a shuffled epoch, or one worker's part of each. */
async function parts(data: Dataset, part?: Part): Promise<Batch[]> {
  const made: Batch[] = [];
  for await (const batch of data.batches({ batch: 4, shuffle: true, seed: 3, part }))
    made.push({ ...batch, images: batch.images.slice() });
  return made;
}

describe("tar shards", () => {
  test.each(
    golden.cases.flatMap((each) => [
      { ...each, gzip: false },
      { ...each, gzip: true },
    ]),
  )("$name, gzip $gzip: has the samples that Python's webdataset reads", async ({ tar: packed, samples, gzip }) => {
    const bytes = unpacked(packed);
    const file = put(temporaryFolder(), "shard.tar", gzip ? gzipSync(bytes) : bytes);
    const read: unknown[] = [];
    for await (const { key, parts } of shardSamples(file))
      read.push({
        key,
        parts: Object.fromEntries(
          [...parts].map(([ending, content]) => [ending, createHash("sha256").update(content).digest("hex")]),
        ),
      });
    expect(read).toEqual(samples);
  });

  test("are written as Python's tarfile writes them, and whole", async () => {
    const folder = temporaryFolder();
    const files = golden.written.images.map((each, i) => put(folder, `in/${i}.png`, Buffer.from(each, "base64")));
    const data = await imageFiles({ name: "three", classes: ["a", "b"], labels: [0, 1, 0], files });
    const out = join(folder, "out");
    const written = await writeShards(data, out, { shuffle: false });
    const expected = unpacked(golden.written.tar);
    const bytes = readFileSync(written.files[0]!);
    // Python fills archives up to 10,240 bytes with zeros.
    expect(bytes.equals(expected.subarray(0, bytes.length))).toBe(true);
    expect(expected.subarray(bytes.length).every((byte) => byte === 0)).toBe(true);
    expect(written).toEqual({ files: [join(out, "shards-000000.tar")], images: 3, bytes: bytes.length });
    expect(readFileSync(join(out, "classes.txt"), "utf8")).toBe("a\nb\n");
  });

  test("give the pixels and names of the folder they were made of, gzipped or not, in the same order", async () => {
    const source = await imagesInFolder(23);
    const { train } = await loadData(source);
    const [plain, packed] = [temporaryFolder(), temporaryFolder()];
    await writeShards(train, plain, { images: 5, shuffle: false });
    const { files } = await writeShards(train, packed, { images: 5, shuffle: false, gzip: true });
    expect(files).toHaveLength(5);
    const inOrder = await batchesOf(train, { shuffle: false });
    const shuffled = await batchesOf((await loadData(plain, { window: 6 })).train, {});
    for (const folder of [plain, packed, join(packed, "shards-{000000..000004}.tar.gz")]) {
      const data = (await loadData(folder, { window: 6, columns: { classes: ["cat", "dog", "emu"] } })).train;
      expect(data.classes).toEqual(train.classes);
      expect(await batchesOf(data, { shuffle: false })).toEqual(inOrder);
      expect(await batchesOf(data, {})).toEqual(shuffled);
      for (const skip of [1, 3, 5, 6]) expect(await batchesOf(data, { skip })).toEqual(shuffled.slice(skip));
      expect(await batchesOf(data, { epoch: 1 })).not.toEqual(shuffled);
      const chosen = data.select([20, 3, 3, 11]);
      expect((await batchesOf(chosen, { shuffle: false }))[0]!.images).toEqual(
        (await batchesOf(train.select([20, 3, 3, 11]), { shuffle: false }))[0]!.images,
      );
    }
    const order = shuffled.flatMap(({ indices }) => [...indices]);
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, i) => i));
  });

  test("are parted as folders are; balanced needs images in any order", async () => {
    const { train } = await loadData(await imagesInFolder(30));
    const [plain, packed] = [temporaryFolder(), temporaryFolder()];
    await writeShards(train, plain, { images: 8 });
    await writeShards(train, packed, { images: 8, gzip: true });
    const { train: rest, test: part } = await loadData(packed, { test: 0.2, stratify: true });
    expect([rest.size, part!.size]).toEqual([24, 6]);
    expect([0, 1, 2].map((label) => part!.labels.filter((each) => each === label).length)).toEqual([2, 2, 2]);
    const images = (await batchesOf(rest, { epoch: 2 })).flatMap(({ indices }) => [...indices]);
    expect(new Set(images).size).toBe(24);
    const folds = splitFolds((await loadData(packed)).train, 3);
    expect(folds.map(([, fold]) => fold.size)).toEqual([10, 10, 10]);
    expect(await batchesOf((await loadData(plain)).train, { sampling: "balanced" })).toHaveLength(8);
    await expect(batchesOf((await loadData(packed)).train, { sampling: "balanced" })).rejects.toThrow(
      /sampling "balanced" needs images in any order, but .* is read as a stream/,
    );
  });

  test.each([false, true])("are read by several workers, each its own images alone, gzip %o", async (gzip) => {
    const source = await imagesInFolder(22);
    const out = temporaryFolder();
    await writeShards((await loadData(source)).train, out, { images: 8, shuffle: false, gzip });
    const load = async (strict: boolean) => (await loadData(out, { window: 6, strict, size: [6, 5] })).train;
    const whole = await parts(await load(true));
    for (const [place, { indices }] of whole.entries()) {
      const own = await Promise.all([0, 1, 2].map(async (index) => parts(await load(true), { index, of: 3 })));
      const rows = own.map((batches) => batches[place]!).filter(({ part }) => part!.own > 0);
      expect(rows.flatMap(({ indices: each }) => [...each])).toEqual([...indices]);
      expect(rows.flatMap(({ images }) => [...images])).toEqual([...whole[place]!.images]);
    }
    // The images of the first worker in the second batch are damaged: the second one does not see them.
    const [first, second] = [0, 1].map((index) => ({ index, of: 2 }));
    const damaged = [...whole[1]!.indices.subarray(0, 2)];
    const seeds = [0, 1, 2].flatMap((label) => Array.from({ length: 22 }, (_, i) => i).filter((i) => i % 3 === label));
    for (const [shard, file] of readdirSync(out)
      .filter((name) => name.startsWith("shards"))
      .entries()) {
      const bytes = readFileSync(join(out, file));
      const archive = gzip ? gunzipSync(bytes) : Buffer.from(bytes);
      for (const index of damaged.filter((each) => Math.floor(each / 8) === shard)) {
        const at = archive.indexOf(await png(seeds[index]!));
        archive.fill(0, at, at + 40);
      }
      put(out, file, gzip ? gzipSync(archive) : archive);
    }
    const rest = await parts(await load(true), second);
    expect(rest.map(({ images }) => [...images])).toEqual(whole.map((each) => [...batchPart(each, second!).images]));
    await expect(parts(await load(true), first)).rejects.toThrow(/cannot be (?:decoded|read)/);
    // One of the others' images stands in for them.
    const { part, indices, images } = (await parts(await load(false), first))[1]!;
    expect([part, [...indices]]).toEqual([{ own: 0, whole: 4 }, [whole[1]!.indices[2]]]);
    expect([...images]).toEqual([...whole[1]!.images.subarray(2 * 90, 3 * 90)]);
  });

  test("keep: memory gives the same pixels in later epochs of a stream", async () => {
    const { train } = await loadData(await imagesInFolder(12));
    const packed = temporaryFolder();
    await writeShards(train, packed, { images: 4, gzip: true });
    const [kept, plain] = [await loadData(packed, { keep: "memory" }), await loadData(packed)];
    for (const epoch of [0, 1, 0])
      expect(await batchesOf(kept.train, { epoch })).toEqual(await batchesOf(plain.train, { epoch }));
  });

  test("splits are told by words in names; one split alone is for training", async () => {
    const folder = temporaryFolder();
    const shard = (label: number, image: Uint8Array) =>
      tar(
        [0, 1, 2].flatMap((i) => [
          { name: `${i}.png`, content: image },
          { name: `${i}.cls`, content: Buffer.from(String((label + i) % 2)) },
        ]),
      );
    put(folder, "imagenet-train-000000.tar", shard(0, await png(1)));
    put(folder, "imagenet-val-000000.tar", shard(1, await png(2)));
    put(folder, "test/000000.tar", shard(1, await png(2)));
    const { train, validation, test: part } = await loadData(join(folder, "imagenet-{train,val}-000000.tar"));
    expect([train.size, validation?.size, part]).toEqual([3, 3, undefined]);
    expect((await loadData(join(folder, "imagenet-val-000000.tar"))).train.labels).toEqual(Int32Array.of(1, 0, 1));
    await expect(loadData(folder)).resolves.toMatchObject({ test: { size: 3 } });
  });

  test("labels are found by their field: numbers, names, fields of JSON", async () => {
    const file = put(temporaryFolder(), "a.tar", unpacked(golden.cases[0]!.tar));
    const load = async (columns?: object) => (await loadData(file, columns && { columns })).train;
    expect((await load()).classes).toEqual(["0", "1", "2"]);
    const named = await load({ label: "json.annotation.class" });
    expect([named.classes, named.labels]).toEqual([["cat", "dog", "emu"], (await load()).labels]);
    expect((await load({ image: "seg.png" })).shape).toEqual([3, 3, 3]);
    expect((await load()).shape).toEqual([9, 11, 3]);
  });

  test("have labels and numbers of fields of JSON and text files, with the same names in all splits", async () => {
    const folder = temporaryFolder();
    const sample = async (i: number, tags: unknown, size: unknown) => [
      { name: `${i}.png`, content: await png(i) },
      { name: `${i}.json`, content: Buffer.from(JSON.stringify({ about: { tags }, size })) },
      { name: `${i}.txt`, content: Buffer.from(` ${i / 2}\n`) },
    ];
    put(folder, "train-0.tar", tar([...(await sample(1, ["red", "round"], -1.5)), ...(await sample(2, [], 3))]));
    put(folder, "test-0.tar.gz", gzipSync(tar(await sample(3, "round; big", 1e-3))));
    const columns = { labels: "json.about.tags", numbers: ["json.size", "txt"] };
    const { train, test: last } = await loadData(folder, { columns });
    expect(train.targets).toEqual({
      labels: { kind: "labels", names: ["big", "red", "round"], shape: [3] },
      numbers: { kind: "numbers", names: ["json.size", "txt"], shape: [2] },
    });
    expect(train.classes).toEqual([]);
    expect([...train.targetValues!["labels"]!]).toEqual([0, 1, 1, 0, 0, 0]);
    expect([...train.targetValues!["numbers"]!]).toEqual([-1.5, 0.5, 3, 1]);
    for await (const { targets, indices } of last!.batches({ batch: 1 })) {
      expect([...indices, ...targets!["labels"]!]).toEqual([0, 1, 0, 1]);
      expect([...targets!["numbers"]!]).toEqual([Math.fround(1e-3), 1.5]);
    }
    const refused: [unknown, unknown, object, RegExp][] = [
      [[], "wide", { numbers: "json.size" }, /expected a number as json\.size in .*x\.tar: 1\.png, found "wide"/],
      [
        ["a"],
        1,
        { numbers: "json.about.tags.length" },
        /expected a name, a number or a list of names in json\.about\.tags\.length, found undefined/,
      ],
      [
        [],
        1,
        { labels: "json.constructor.name" },
        /expected a name, a number or a list of names in json\.constructor\.name/,
      ],
      [["a,b"], 1, { labels: "json.about.tags" }, /x\.tar: 1: a label may not contain \| ; or a comma/],
      [
        { red: 1 },
        1,
        { labels: "json.about.tags" },
        /expected a name, a number or a list of names in json\.about\.tags/,
      ],
      [[], 1, { labels: "cls" }, /expected a file that ends in cls, found png, json, txt/],
      [[], 1, { labels: "txt", label: "json" }, /expected a class \(columns\.label\), or columns\.labels and numbers/],
    ];
    for (const [tags, size, asked, message] of refused) {
      const file = put(temporaryFolder(), "x.tar", tar(await sample(1, tags, size)));
      await expect(loadData(file, { columns: asked })).rejects.toThrow(message);
    }
  });

  test.each([
    ["an empty file", () => Buffer.alloc(0), /x\.tar is empty/],
    ["no sample", () => tar([]), /x\.tar holds no record of WebDataset tar/],
    [
      "a name that leaves the folder",
      () => tar([{ name: "../../a.png" }]),
      /x\.tar: expected names inside of a folder, got "..\/..\/a\.png" at byte 0/,
    ],
    ["an absolute name", () => tar([{ name: "/etc/a.png" }]), /x\.tar: expected names inside of a folder/],
    [
      "a size beyond the file",
      () => tar([{ name: "a.png", size: 4096 }]),
      /x\.tar: a header states 4096 bytes, but the file ends before at byte 0/,
    ],
    [
      "a size beyond all files",
      () => tar([{ name: "a.png", size: 7e9 }]),
      /x\.tar: "a\.png" states 7000000000 bytes, more than/,
    ],
    [
      "no end mark",
      () => tar([{ name: "a.png", content: Buffer.from("a") }], false),
      /x\.tar: expected another file or the end mark of a tar archive, but the file ends at byte 1024/,
    ],
    [
      "a wrong checksum",
      () => tar([{ name: "a.png" }]).fill(9, 0, 2),
      /x\.tar: expected the header of a tar archive, found a wrong checksum at byte 0/,
    ],
    [
      "no label",
      () => tar([{ name: "a.png", content: Buffer.from("a") }]),
      /x\.tar: a has no label: expected a file that ends in cls, found png/,
    ],
    [
      "no image",
      () => tar([{ name: "a.cls", content: Buffer.from("1") }]),
      /x\.tar: expected an image of a \(.*\), found cls/,
    ],
    [
      "an ending twice",
      () => tar([{ name: "a.png" }, { name: "a.PNG" }]),
      /x\.tar: expected one png of a, found a\.PNG again/,
    ],
    [
      "a negative class",
      () =>
        tar(
          ["a", "b"].flatMap((key) => [
            { name: `${key}.png` },
            { name: `${key}.cls`, content: Buffer.from(key === "a" ? "-1" : "1") },
          ]),
        ),
      /x\.tar: a\.png: expected a class from 0 to 1, found the label "-1"/,
    ],
    [
      "classes that clash",
      () =>
        tar(
          ["a", "b", "c"].flatMap((key) => [
            { name: `${key}.png` },
            {
              name: `${key}.txt`,
              content: Buffer.from(`n\u{e9}`.normalize(key === "a" ? "NFC" : "NFD") + (key === "c" ? "  x" : "")),
            },
          ]),
        ),
      undefined,
    ],
    [
      "a sparse file",
      () => tar([{ name: "a.png", type: "SparseFile" as const }]),
      /x\.tar: an entry of the type \w+ cannot be read at byte 0/,
    ],
  ] as const)("%s is refused by the name of the shard", async (_, bytes, message) => {
    const file = put(temporaryFolder(), "x.tar", bytes());
    const loaded = loadData(file, { size: [4, 4] });
    await (message === undefined
      ? expect(loaded).resolves.toMatchObject({ train: { size: 3 } })
      : expect(loaded).rejects.toThrow(message));
  });

  test("a label beyond the named classes, and a truncated gzip file, are refused", async () => {
    const folder = temporaryFolder();
    const file = put(folder, "x.tar", unpacked(golden.written.tar));
    await expect(loadData(file, { columns: { classes: ["a", "b"] } })).resolves.toMatchObject({ train: { size: 3 } });
    const twelve = tar(
      [0, 1].flatMap((i) => [{ name: `${i}.png` }, { name: `${i}.cls`, content: Buffer.from(String(i * 5)) }]),
    );
    await expect(
      loadData(put(folder, "y.tar", twelve), { size: [4, 4], columns: { classes: ["a", "b"] } }),
    ).rejects.toThrow(/y\.tar: 1\.png: expected a class from 0 to 1, found the label "5"/);
    const packed = gzipSync(unpacked(golden.written.tar));
    await expect(loadData(put(folder, "z.tar", packed.subarray(0, packed.length - 20)))).rejects.toThrow(
      /z\.tar: expected a whole gzip file, but unpacking failed/,
    );
  });

  test("a damaged image is left out with its name", async () => {
    const entries = await Promise.all(
      [0, 1, 2].map(async (i) => [
        { name: `${i}.png`, content: i === 1 ? (await png(i)).subarray(0, 60) : await png(i) },
        { name: `${i}.cls`, content: Buffer.from(String(i % 2)) },
      ]),
    );
    const file = put(temporaryFolder(), "x.tar", tar(entries.flat()));
    const { train } = await loadData(file, { size: [6, 5] });
    const [batch] = await batchesOf(train, { shuffle: false });
    expect(batch!.indices).toEqual(Int32Array.of(0, 2));
    expect(train.skipped).toEqual([{ file: `${file}: 1.png`, reason: expect.any(String) }]);
    expect((await loadData(file, { size: [6, 5], check: "all" })).train.size).toBe(2);
    await expect(loadData(file, { size: [6, 5], check: "all", strict: true })).rejects.toThrow(
      /x\.tar: 1\.png cannot be decoded/,
    );
  });

  test("are never mixed with others: of two writers the second is refused, as are other classes in one folder", async () => {
    const make = (...classes: string[]) =>
      fromArrays({ images: new Uint8Array(4 * 12), shape: [2, 2, 3], labels: [0, 1, 1, 0], classes });
    const folder = temporaryFolder();
    const both = await Promise.allSettled([
      writeShards(make("no", "yes"), folder, { images: 1 }),
      writeShards(make("no", "yes"), folder, { images: 2, gzip: true }),
    ]);
    const [whole, refused] = both.toSorted((a, b) => a.status.localeCompare(b.status));
    expect(whole).toMatchObject({ status: "fulfilled", value: { images: 4 } });
    expect(refused).toMatchObject({
      reason: { message: expect.stringMatching(/shards-000000\.tar.* is there already: remove the older shards/) },
    });
    expect((await loadData(folder)).train.size).toBe(4);
    await expect(writeShards(make("a", "b"), folder, { prefix: "test" })).rejects.toThrow(
      /classes\.txt names other classes than/,
    );
    await writeShards(make("no", "yes"), folder, { prefix: "test" });
    expect((await loadData(folder)).test?.size).toBe(4);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("arrays are written as PNG", async () => {
    const images = Uint8Array.from({ length: 4 * 3 * 2 * 3 }, (_, i) => (i * 5) % 256);
    const data = fromArrays({ images, shape: [3, 2, 3], labels: [0, 1, 1, 0], classes: ["no", "yes"] });
    const folder = temporaryFolder();
    await writeShards(data, folder, { shuffle: false });
    expect((await batchesOf((await loadData(folder)).train, { shuffle: false }))[0]!.images).toEqual(images);
  });
});

describe("the order of a window", () => {
  test("goes shard by shard in random order, and no image comes more than a window early", () => {
    const shardOf = (record: number) => Math.floor(record / 10);
    const chosen = Int32Array.from({ length: 95 }, (_, i) => i);
    for (const seed of [0, 1, 2]) {
      // A window of one image is no shuffle within shards, and so tells the order of the shards.
      const shards = [...windowOrder(shardOf, chosen, { window: 1, seed, epoch: 0 })];
      expect(
        [...new Set(shards.map(shardOf))].flatMap((shard) => [...chosen].filter((each) => shardOf(each) === shard)),
      ).toEqual(shards);
      const order = [...windowOrder(shardOf, chosen, { window: 7, seed, epoch: 0 })];
      expect(order.toSorted((a, b) => a - b)).toEqual([...chosen]);
      for (const [place, record] of order.entries()) expect(shards.indexOf(record) - place).toBeLessThan(7);
    }
  });

  test("a stream holds at most the window, and only images that are still wanted", async () => {
    const [count, window] = [200, 16];
    const shardOf = (record: number) => Math.floor(record / 50);
    const files = ["a", "b", "c", "d"];
    const shards = {
      files,
      firsts: [0, 50, 100, 150],
      count,
      shardOf,
      async *images(file: string) {
        for (let i = 0; i < 50; i++) yield Uint8Array.of(files.indexOf(file) * 50 + i);
      },
    };
    const order = windowOrder(
      shardOf,
      Int32Array.from({ length: count }, (_, i) => i),
      { window, seed: 5, epoch: 0 },
    );
    for (const skip of [0, 77]) {
      const rest = order.slice(skip);
      const stream = new RecordStream(shards, rest);
      for (const record of rest) {
        expect(await stream.take([record])).toEqual([Uint8Array.of(record)]);
        await stream.release(Int32Array.of(record));
        expect(stream.held.records).toBeLessThan(window);
      }
      expect(stream.held.records).toBe(0);
      await stream.close();
    }
  });
});
