import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { FileMetaData, PageHeader } from "hyparquet";
import { describe, expect, test } from "vitest";
import { type Batch, decodeImage, loadData } from "../src/index.ts";
import { checkRows } from "../src/records/parquet-pages.ts";
import { runChecker } from "../src/records/parquet-runs.ts";
import { put, temporaryFolder } from "./temporary.ts";

interface Golden {
  readonly images: readonly string[];
  readonly labels: readonly number[];
  readonly cases: readonly { readonly name: string; readonly parquet: string; readonly classes: readonly string[] }[];
  readonly bad: Readonly<Record<string, string>>;
}

const golden = JSON.parse(readFileSync(new URL("golden/parquet.json", import.meta.url), "utf8")) as Golden;
const unpacked = (text: string) => gunzipSync(Buffer.from(text, "base64"));

/** A file of `golden.cases[place]`. */
function parquet(place: number, name = "x.parquet"): string {
  return put(temporaryFolder(), name, unpacked(golden.cases[place]!.parquet));
}

describe("Parquet image sets", () => {
  test.each(golden.cases.map((each, place) => ({ ...each, place })))(
    "$name: has the images, labels and classes that were written",
    async ({ name, place, classes }) => {
      const columns = name === "datasets" ? undefined : { image: "img", label: "class" };
      const { train } = await loadData(parquet(place), { columns });
      expect(train.classes).toEqual(classes);
      expect(train.labels).toEqual(Int32Array.from(golden.labels));
      const expected = await Promise.all(golden.images.map((each) => decodeImage(Buffer.from(each, "base64"))));
      const read: Batch[] = [];
      for await (const batch of train.batches({ batch: 3 })) read.push(batch);
      expect(read.flatMap(({ images }) => [...images])).toEqual(expected.flatMap(({ data }) => [...data]));
    },
  );

  test("has numbers of a column, in place of classes", async () => {
    const place = golden.cases.findIndex(({ name }) => name === "datasets");
    const { train } = await loadData(parquet(place), { columns: { numbers: "label" } });
    expect(train.targets).toEqual({ numbers: { kind: "numbers", names: ["label"], shape: [1] } });
    expect([...train.targetValues!["numbers"]!]).toEqual(golden.labels);
    await expect(loadData(parquet(place), { columns: { labels: "tags" } })).rejects.toThrow(
      /x\.parquet: expected a column tags, found /,
    );
  });

  test("an epoch goes on in its middle with the same images, whose labels stay theirs", async () => {
    const { train } = await loadData(parquet(0), { window: 3 });
    const whole: Batch[] = [];
    for await (const batch of train.batches({ batch: 2, shuffle: true, seed: 4 })) whole.push(batch);
    const indices = whole.flatMap((batch) => [...batch.indices]);
    expect(indices.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const [place, index] of indices.entries()) {
      const { data } = await decodeImage(Buffer.from(golden.images[index]!, "base64"));
      const { images, labels } = whole[Math.floor(place / 2)]!;
      expect(images.slice((place % 2) * data.length, ((place % 2) + 1) * data.length)).toEqual(Uint8Array.from(data));
      expect(labels[place % 2]).toBe(golden.labels[index]);
    }
    const rest: Batch[] = [];
    for await (const batch of train.batches({ batch: 2, shuffle: true, seed: 4, skip: 2 })) rest.push(batch);
    expect(rest.map(({ images }) => images)).toEqual(whole.slice(2).map(({ images }) => images));
  });

  test("splits are told by names as Hugging Face gives them", async () => {
    const folder = temporaryFolder();
    for (const split of ["train", "test"])
      put(folder, `data/${split}-00000-of-00001.parquet`, unpacked(golden.cases[0]!.parquet));
    const { train, test: part } = await loadData(folder);
    expect([train.size, part?.size]).toEqual([7, 7]);
  });

  test.each([
    ["null label", /x\.parquet: row 1: expected a class by name or number in label, found undefined|null/],
    ["unlabelled", /x\.parquet: row 1: expected a class from 0 to 1, found the label -1/],
    ["no bytes", /x\.parquet: row 0 has no bytes in image; images that lie in other files must be embedded/],
    ["no image", /x\.parquet: expected a column of images, found text, label; name one by columns\.image/],
    [
      "two labels",
      /x\.parquet: expected a column of classes, found several \(label, class\); name one by columns\.label/,
    ],
    ["no rows", /x\.parquet holds no record of Parquet/],
  ])("%s is refused by the name of the file", async (name, message) => {
    const file = put(temporaryFolder(), "x.parquet", unpacked(golden.bad[name]!));
    await expect(loadData(file)).rejects.toThrow(message);
  });

  test("a page without its lengths, with which the reader would not end, and more rows than a file can have are refused", async () => {
    const bytes = Buffer.from(unpacked(golden.cases[6]!.parquet));
    // The type of the lengths' field, so that they are read as another one.
    expect(bytes[2457]).toBe(0x15);
    bytes[2457] = 0x17;
    const file = put(temporaryFolder(), "x.parquet", bytes);
    const read = loadData(file, { columns: { image: "img", label: "class" } });
    await expect(read).rejects.toThrow(/x\.parquet: expected a whole Parquet file, but .*the header of a page/);
    const many = { num_rows: 2_000_000n, row_groups: [] } as unknown as FileMetaData;
    expect(() => checkRows(many, 4_000)).toThrow("2000000 rows are stated, of at most 1000000 in 4000 bytes");
    expect(() => checkRows(many, 2_000_000)).not.toThrow();
  });

  test("a run that is longer than its page is refused by the name of the file", async () => {
    const bytes = Buffer.from(unpacked(golden.cases.find(({ name }) => name === "NONE")!.parquet));
    // The definition levels of three rows: the length of their runs, then three times 1.
    const levels = bytes.indexOf(Buffer.from([2, 0, 0, 0, 6, 1]));
    expect(levels).toBeGreaterThan(0);
    bytes[levels + 4] = 126;
    const read = loadData(put(temporaryFolder(), "x.parquet", bytes), { columns: { image: "img", label: "fine" } });
    await expect(read).rejects.toThrow(/x\.parquet: .*a run of 63 values is stated, where the page has 3 left/);
  });

  const ints = { type: "INT32" };
  const texts = { type: "BYTE_ARRAY" };
  test.each([
    // Five values of three bits: a run of two, then eight packed of which three are used.
    ["runs that fill the page", ints, "RLE_DICTIONARY", [3, 4, 1, 3, 0, 0, 0], undefined],
    ["a run of 2^31 - 1 values", ints, "RLE_DICTIONARY", [3, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1], /a run of 2147483647/],
    [
      "packed runs of a negative count, of no bits",
      ints,
      "RLE_DICTIONARY",
      [0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0],
      /a run of 17179869176/,
    ],
    ["two packed runs, of which the second is not needed", ints, "RLE_DICTIONARY", [1, 5, 0, 0], /a run of 16 values/],
    ["runs that end too early", ints, "RLE_DICTIONARY", [3, 4, 1], RangeError],
    ["a block of differences", ints, "DELTA_BINARY_PACKED", [128, 1, 4, 5, 2, 2, 0, 0, 0, 0], undefined],
    [
      "parts of a negative count",
      ints,
      "DELTA_BINARY_PACKED",
      [128, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 5, 2],
      /a block of 128 differences in -1/,
    ],
    [
      "a block of a negative size",
      texts,
      "DELTA_LENGTH_BYTE_ARRAY",
      [0x80, 0xff, 0xff, 0xff, 0x0f, 4, 5, 2],
      /a block of -128/,
    ],
    [
      "a text that shares more than there is",
      texts,
      "DELTA_BYTE_ARRAY",
      // Each shares two more bytes than the one before, and adds one.
      [128, 1, 4, 5, 0, 4, 0, 0, 0, 0, 128, 1, 4, 5, 2, 0, 0, 0, 0, 0],
      /a text shares 2 bytes with the one before, which has 1/,
    ],
  ])("%s", async (_, { type }, encoding, page, error) => {
    const metadata = { type, path_in_schema: ["x"], codec: "UNCOMPRESSED" } as never;
    const schema = [
      { name: "root", num_children: 1 },
      { name: "x", type, repetition_type: "REQUIRED" },
    ] as never;
    const check = await runChecker({ metadata, schema, unpack: (bytes) => bytes });
    const first = { num_values: 5, encoding };
    const second = {
      ...first,
      num_nulls: 0,
      num_rows: 5,
      definition_levels_byte_length: 0,
      repetition_levels_byte_length: 0,
    };
    for (const header of [
      { type: "DATA_PAGE", data_page_header: first },
      { type: "DATA_PAGE_V2", data_page_header_v2: second },
    ]) {
      const checked = () =>
        check({ ...header, uncompressed_page_size: page.length } as unknown as PageHeader, Uint8Array.from(page));
      if (error === undefined) expect(checked).not.toThrow();
      else expect(checked).toThrow(error);
    }
  });

  test("a truncated file and a file of another kind are refused", async () => {
    const bytes = unpacked(golden.cases[2]!.parquet);
    for (const part of [bytes.subarray(0, -30), bytes.subarray(0, 8), Buffer.from("PAR1")])
      await expect(loadData(put(temporaryFolder(), "x.parquet", part))).rejects.toThrow(
        /x\.parquet: expected a whole Parquet file, but reading failed/,
      );
  });
});
