import { readdirSync } from "node:fs";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { contactSheet, dataSets, fromArrays, imageFolder, loadData, subset, writeImageFolder } from "../src/index.ts";
import { className, folderName } from "../src/folders/class-names.ts";
import { put, temporaryFolder } from "./temporary.ts";

const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: "#fff" } })
  .png()
  .toBuffer();

/** One image a class: in folders, and in a CSV file of the same classes. */
function bothWays(classes: readonly string[]): { folder: string; csv: string } {
  const [folder, images] = [temporaryFolder(), temporaryFolder()];
  const rows = classes.map((name, place) => {
    put(folder, `${name}/x.png`, png);
    put(images, `${place}.png`, png);
    return `${place}.png,"${name}"`;
  });
  return { folder, csv: put(images, "list.csv", ["path,label", ...rows].join("\n")) };
}

describe("classes have one order", () => {
  it.each<[what: string, classes: string[], ordered: string[]]>([
    ["upper case first", ["b", "A", "a", "B"], ["A", "B", "a", "b"]],
    ["numbers as text", ["10", "9", "1"], ["1", "10", "9"]],
    // U+FF21 is below U+1F600, whose first UTF-16 unit is D83D.
    ["beyond U+FFFF", ["\u{1F600}", "\uFF21", "z"], ["z", "\uFF21", "\u{1F600}"]],
    ["composed names", ["cafe\u0301", "cb", "ca"], ["ca", "caf\u00E9", "cb"]],
  ])("%s", async (_, classes, ordered) => {
    const { folder, csv } = bothWays(classes);
    expect((await loadData(folder)).train.classes).toEqual(ordered);
    expect((await loadData(csv)).train.classes).toEqual(ordered);
  });

  it("names of other Unicode forms are one class, and are told", async () => {
    const folder = temporaryFolder();
    for (const name of ["caf\u00E9/a.png", "cafe\u0301/b.png", "tea/c.png"]) put(folder, name, png);
    const { train } = await loadData(folder);
    expect([train.classes, [...train.labels]]).toEqual([
      ["caf\u00E9", "tea"],
      [0, 0, 1],
    ]);
    expect(train.notes).toEqual([
      `${folder} has two folders named caf\u00E9, in other Unicode forms; they are taken for one class`,
    ]);
  });

  it("splits may have other forms of a name", async () => {
    const folder = temporaryFolder();
    for (const name of ["train/caf\u00E9/a.png", "train/tea/a.png", "test/cafe\u0301/b.png", "test/tea/b.png"])
      put(folder, name, png);
    const { test } = await loadData(folder);
    expect(test!.classes).toEqual(["caf\u00E9", "tea"]);
  });
});

describe("a CSV file is refused", () => {
  it.each([
    ["1 and 01", "a.png,1\nb.png,2\nc.png,01\n", 'labels that differ clearly, got "1" in line 2 and "01" in line 4'],
    ["1 and a space before it", "a.png,1\nb.png,2\nc.png, 1\n", 'got "1" in line 2 and " 1" in line 4'],
    ["cat and a space behind it", "a.png,cat\nb.png,dog\nc.png,cat \n", 'got "cat" in line 2 and "cat " in line 4'],
    ["a path that leaves the folder", "a.png,cat\n../b.png,dog\n", 'in line 3, got "../b.png"; give another root, or'],
    ["a path through a folder", "a.png,cat\nx/../../b.png,dog\n", 'in line 3, got "x/../../b.png"'],
    ["an absolute path", "a.png,cat\n/etc/passwd,dog\n", 'in line 3, got "/etc/passwd"'],
    ["a NUL", "a.png,cat\nb\0.png,dog\n", "the path in line 3 has a NUL character"],
    ["a quote inside a cell", 'a.png,ca"t\n', "expected rows of commas and quoted cells, but Invalid Opening Quote"],
  ])("%s", async (_, rows, message) => {
    const csv = put(temporaryFolder(), "list.csv", `path,label\n${rows}`);
    await expect(loadData(csv)).rejects.toThrow(message);
  });

  it("with a file in two splits, however its path is written", async () => {
    const csv = put(
      temporaryFolder(),
      "list.csv",
      "path,label,split\na.png,cat,train\nb.png,dog,train\n./x/../a.png,cat,test\n",
    );
    await expect(loadData(csv)).rejects.toThrow(
      /expected one split for each file, but .*a\.png is in train by line 2 and in test by line 4$/,
    );
  });

  it("unless the paths are allowed", async () => {
    const folder = temporaryFolder();
    for (const name of ["a.png", "b.png"]) put(folder, name, png);
    const csv = put(folder, "lists/list.csv", "path,label\n../a.png,cat\n../b.png,dog\n");
    expect((await loadData(csv, { outside: true })).train.size).toBe(2);
    const listed = put(folder, "lists/rooted.csv", "path,label\na.png,cat\nb.png,dog\n");
    expect((await loadData(listed, { root: folder })).train.size).toBe(2);
    await expect(loadData(folder, { outside: true })).rejects.toThrow(
      /^root, outside and columns are options of CSV files/,
    );
  });

  it("and the refusal names the option that allows them", async () => {
    const csv = put(temporaryFolder(), "list.csv", "path,label\n../a.png,cat\n");
    await expect(loadData(csv)).rejects.toThrow(/give another root, or allow it with the option outside$/);
  });

  it("not for two labels of one file, which are told", async () => {
    const folder = temporaryFolder();
    for (const name of ["a.png", "b.png"]) put(folder, name, png);
    const { train } = await loadData(put(folder, "list.csv", "path,label\na.png,cat\nb.png,dog\na.png,dog\n"));
    expect([train.size, train.notes]).toEqual([
      3,
      [expect.stringMatching(/a\.png two labels: cat in line 2, dog in line 4$/)],
    ]);
  });
});

describe("class names that are no folder names", () => {
  it.each(["T-shirt/top", "a\nb", "..", ".hidden", "50%", "a%2Fb", "x:y", "end.", "caf\u00E9", "  "])(
    "%j is written and read back",
    async (name) => {
      const images = new Uint8Array(2 * 12).fill(7);
      const data = fromArrays({ images, shape: [2, 2, 3], labels: [0, 1], classes: [name, "other"], name: "odd" });
      const folder = temporaryFolder();
      expect(await writeImageFolder(data, folder)).toBe(2);
      const { train } = await imageFolder(folder);
      expect(train.classes.toSorted()).toEqual([name, "other"].toSorted());
      expect(train.size).toBe(2);
      const smaller = `${temporaryFolder()}/subset`;
      await subset(folder, smaller, { train: [0, 1] });
      expect((await imageFolder(smaller)).train.classes).toEqual(train.classes);
    },
  );

  it("Fashion-MNIST has one of them", async () => {
    const { classes } = dataSets["fashion-mnist"];
    const data = fromArrays({
      images: new Uint8Array(10 * 4),
      shape: [2, 2, 1],
      labels: classes.map((_, i) => i),
      classes,
    });
    const folder = temporaryFolder();
    await writeImageFolder(data, folder);
    expect(readdirSync(folder)).toContain("T-shirt%2Ftop");
    expect((await imageFolder(folder)).train.classes).toEqual([...classes].toSorted());
  });

  it("other folders keep their names", () => {
    for (const name of ["a%20b", "100%", "%zz", "a%2fb", "T-shirt"]) expect(className(name)).toBe(name);
    expect(folderName("a/b%")).toBe("a%2Fb%25");
  });

  it("are refused where two would share a folder", async () => {
    const classes = ["caf\u00E9", "cafe\u0301"];
    const data = fromArrays({ images: new Uint8Array(8), shape: [2, 2, 1], labels: [0, 1], classes, name: "twins" });
    await expect(writeImageFolder(data, temporaryFolder())).rejects.toThrow(
      "twins: expected different names of classes",
    );
  });

  it("are drawn on a contact sheet, control characters and halves of pairs too", async () => {
    const batch = { images: new Uint8Array(4 * 4), shape: [4, 2, 2, 1] as [number, number, number, number] };
    const sheet = await contactSheet(batch, { captions: ["a\u0000b\u001B[31m", "\uD83D", "<&>", "ok"] });
    expect((await sharp(sheet).metadata()).format).toBe("png");
  });
});
