import * as fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { parseCsv } from "../src/folders/csv-images.ts";
import { loadData } from "../src/load.ts";
import { put, temporaryFolder } from "./temporary.ts";

const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: "#fff" } })
  .png()
  .toBuffer();

async function load(csv: string, options = {}) {
  const folder = temporaryFolder();
  for (const name of ["a.png", "b.png", "c, d.png"]) put(folder, name, png);
  return loadData(put(folder, "list.csv", csv), options);
}

describe("a CSV of paths and labels", () => {
  it("is parted by chance where a test split is asked for, and has no ranges", async () => {
    const rows = "path,label\na.png,cat\nb.png,dog\na.png,dog\nb.png,cat\n";
    const { train, test } = await load(rows, { test: 0.25, seed: 3 });
    expect([train.size, test?.size]).toEqual([3, 1]);
    await expect(load(rows, { ranges: { train: [0, 1] } })).rejects.toThrow(
      /^ranges part folders of classes, and list is none$/,
    );
    const split = 'path,label,split\na.png,cat,train\nb.png,dog,train\n"c, d.png",dog,test\n';
    await expect(load(split, { test: 1 })).rejects.toThrow(/^list has its own 1 test images; none are split off$/);
  });

  it.each(["\n", "\r\n", "\r"])("is read with the line ends %j, after a byte order mark", async (end) => {
    const { train } = await load(["\uFEFFpath,label", "a.png,cat", "b.png,dog", ""].join(end));
    expect([train.classes, train.size]).toEqual([["cat", "dog"], 2]);
  });

  it("is data, with a split if it has such a column", async () => {
    const { name, train, validation, test } = await load(
      'path,label,split\r\na.png,cat,train\nb.png,dog,train\n"c, d.png",cat,test\n',
    );
    expect([name, train.size, train.classes, [...train.labels], validation, test?.size]).toEqual([
      "list",
      2,
      ["cat", "dog"],
      [0, 1],
      undefined,
      1,
    ]);
  });

  it("may name its columns otherwise, and orders its classes as folders are", async () => {
    const { train } = await load("file,kind\na.png,10\nb.png,9\n", { columns: { path: "file", label: "kind" } });
    expect([train.classes, [...train.labels]]).toEqual([
      ["10", "9"],
      [0, 1],
    ]);
  });

  it.each([
    ["no columns", "a.png,cat\n", "expected the columns path and label in line 1, found a.png, cat"],
    ["nothing", "", "is empty; expected a header row with path and label"],
    ["a short row", "path,label\na.png,cat\nb.png\n", "expected 2 cells in line 3, found 1"],
    ["no label", "path,label\na.png,cat\n\nb.png,\n", "line 4 lacks label"],
    [
      "an unknown split",
      "path,label,split\na.png,cat,trian\n",
      "expected train, validation or test in line 2, found trian",
    ],
    ["one class", "path,label\na.png,cat\nb.png,cat\n", "has one class only (cat); expected at least two classes"],
    ["no training row", "path,label,split\na.png,cat,test\nb.png,dog,test\n", "has no row of the train split"],
    ["an open quote", 'path,label\n"a.png,cat\n', "the quote opened in line 2 is not closed"],
    ["files that are not there", "path,label\nx.png,cat\ny.png,dog\n", "has no image that can be read: "],
  ])("refuses %s", async (_, csv, message) => {
    await expect(load(csv)).rejects.toThrow(message);
  });

  it.each([
    [{ t: { labels: "label" } }, "the target t: expected the kind class, labels, numbers, got undefined"],
    [{ t: { kind: "labels" } }, "columns: expected the name of a column or a list of names, got undefined"],
  ])("refuses the targets %j", async (targets, message) => {
    await expect(load("path,label\na.png,cat\n", { columns: { targets: targets as never } })).rejects.toThrow(message);
  });

  it("gives back any cells that were quoted", () => {
    const cell = fc.string({ minLength: 1 }).map((text) => text.replaceAll("\r", "").replace(/^\uFEFF/, "") || "x");
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
        const text = rows.map((row) => row.map((each) => `"${each.replaceAll('"', '""')}"`).join(",")).join("\n");
        expect(parseCsv(text).map(({ cells }) => cells)).toEqual(rows);
      }),
    );
  });
});
