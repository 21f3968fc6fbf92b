import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Batch, decodeImage, loadData } from "../src/index.ts";
import { maskedCrc32c } from "../src/records/crc32c.ts";
import { exampleFeatures } from "../src/records/example-features.ts";
import { put, temporaryFolder } from "./temporary.ts";

interface Golden {
  readonly images: readonly string[];
  readonly labels: readonly number[];
  readonly names: readonly string[];
  readonly plain: string;
  readonly gzip: string;
  readonly bad: Readonly<Record<string, string>>;
}

const golden = JSON.parse(readFileSync(new URL("golden/tfrecord.json", import.meta.url), "utf8")) as Golden;
const bytesOf = (text: string) => Buffer.from(text, "base64");
const file = (bytes: Uint8Array, name = "x.tfrecord") => put(temporaryFolder(), name, bytes);

async function batchesOf(
  path: string,
  skip = 0,
  columns?: object,
): Promise<{ batches: Batch[]; classes: readonly string[] }> {
  const { train } = await loadData(path, { window: 3, ...(columns && { columns }) });
  const batches: Batch[] = [];
  for await (const { release: _, ...batch } of train.batches({ batch: 2, shuffle: true, seed: 2, skip }))
    batches.push(batch);
  return { batches, classes: train.classes };
}

describe("TFRecord files", () => {
  test("a checksum is that of the standard's example, rotated and masked", () => {
    // RFC 3720, B.4: 32 bytes of zeros have the CRC-32C 8a9136aa; 1 to 32 in order 46dd794e.
    const masked = (crc: number) => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
    expect(maskedCrc32c(Buffer.alloc(32))).toBe(masked(0x8a9136aa));
    expect(maskedCrc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(masked(0x46dd794e));
    expect(maskedCrc32c(Buffer.from("123456789"))).toBe(masked(0xe3069283));
  });

  test("a record's features are those that TensorFlow wrote", () => {
    const bytes = bytesOf(golden.plain);
    const message = bytes.subarray(12, 12 + Number(bytes.readBigUInt64LE(0)));
    const features = exampleFeatures(message);
    expect([...features.keys()].toSorted()).toEqual([
      "box",
      "image/class/label",
      "image/class/text",
      "image/encoded",
      "image/height",
      "many",
    ]);
    expect(features.get("many")!.integers).toEqual([1n, -2n, 3_000_000_000n]);
    expect(features.get("box")).toMatchObject({ kind: "floats", floats: [0.5, -1] });
    const [start, end] = features.get("image/encoded")!.spans[0]!;
    expect(message.subarray(start, end).equals(bytesOf(golden.images[0]!))).toBe(true);
  });

  test.each(["plain", "gzip"] as const)(
    "%s: has the images and labels that were written, and goes on in an epoch",
    async (kind) => {
      const path = file(bytesOf(golden[kind]), "flowers-train.tfrecord-00000-of-00001");
      const { batches, classes } = await batchesOf(path);
      expect(classes).toEqual(["0", "1", "2"]);
      const indices = batches.flatMap((batch) => [...batch.indices]);
      expect(indices.toSorted()).toEqual([0, 1, 2, 3, 4]);
      for (const [place, index] of indices.entries()) {
        const { data } = await decodeImage(bytesOf(golden.images[index]!));
        const { images, labels } = batches[Math.floor(place / 2)]!;
        expect(images.slice((place % 2) * data.length, ((place % 2) + 1) * data.length)).toEqual(Uint8Array.from(data));
        expect(labels[place % 2]).toBe(golden.labels[index]);
      }
      expect((await batchesOf(path, 1)).batches).toEqual(batches.slice(1));
      const named = await batchesOf(path, 0, { label: "image/class/text" });
      expect(named.classes).toEqual(golden.names);
      expect(named.batches).toEqual(batches);
    },
  );

  test("has labels and numbers of features, in place of classes", async () => {
    const columns = { labels: "image/class/text", numbers: ["image/class/label", "image/height"] };
    const { train } = await loadData(file(bytesOf(golden.plain)), { columns });
    expect(train.targets!["labels"]!.names).toEqual(golden.names);
    expect([...train.targetValues!["labels"]!]).toEqual(
      golden.labels.flatMap((label) => golden.names.map((_, place) => Number(place === label))),
    );
    expect([...train.targetValues!["numbers"]!]).toEqual(golden.labels.flatMap((label) => [label, 5]));
    await expect(loadData(file(bytesOf(golden.plain)), { columns: { numbers: "width" } })).rejects.toThrow(
      /record 0: expected the feature width, found /,
    );
  });

  test.each([
    [
      "no label",
      /x\.tfrecord: record 0 has no label: expected the feature image\/class\/label or label, found image; name one by columns\.label/,
    ],
    ["no image", /x\.tfrecord: record 0 has no image: expected the feature image\/encoded or image, found label/],
    ["two labels", /x\.tfrecord: record 0: expected one class by number or name in label, found 2 values of integers/],
    ["a float label", /x\.tfrecord: record 0: expected one class by number or name in label, found 0 values of floats/],
    ["a negative label", /x\.tfrecord: record 1: expected a class from 0 to 1, found the label -1/],
    ["no example", /x\.tfrecord: record 0: expected a tf\.train\.Example, but/],
    [
      "an empty image",
      /x\.tfrecord: record 0: expected the bytes of one encoded image in image, found 1 values of bytes/,
    ],
  ])("%s is refused by the name of the file", async (name, message) => {
    await expect(loadData(file(bytesOf(golden.bad[name]!)))).rejects.toThrow(message);
  });

  test("every wrong byte and every truncation is found", async () => {
    const bytes = bytesOf(golden.plain);
    for (let at = 0; at < bytes.length; at += 37) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 4;
      await expect(loadData(file(changed)), `byte ${at}`).rejects.toThrow(/x\.tfrecord: .* in the record at byte \d+/);
    }
    for (const end of [3, 11, 12, 100, bytes.length - 1])
      await expect(loadData(file(bytes.subarray(0, end)))).rejects.toThrow(
        /x\.tfrecord: the file ends in the record at byte/,
      );
    const packed = bytesOf(golden.gzip);
    await expect(loadData(file(packed.subarray(0, -9)))).rejects.toThrow(/x\.tfrecord: expected a whole gzip file/);
    expect(gunzipSync(packed).equals(bytes)).toBe(true);
    const huge = Buffer.from(bytes);
    huge.writeBigUInt64LE(1n << 62n);
    huge.writeUInt32LE(maskedCrc32c(huge.subarray(0, 8)), 8);
    await expect(loadData(file(gzipSync(huge)))).rejects.toThrow(
      /x\.tfrecord: expected at most 536870912 bytes, found a length of 4611686018427388000/,
    );
  });
});
