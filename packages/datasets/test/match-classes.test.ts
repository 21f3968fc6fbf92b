import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { fromArrays, fromGenerator, imageFolder, type ImageFolderOptions, matchClasses } from "../src/index.ts";
import { put, temporaryFolder } from "./temporary.ts";

const images = Uint8Array.of(10, 20, 30, 40);
const data = fromArrays({ images, shape: [1, 1, 1], labels: [0, 1, 1, 0], classes: ["bee", "cat"], name: "insects" });

async function all(set: typeof data | ReturnType<typeof fromGenerator>) {
  const rows: [number, number][] = [];
  for await (const { images, labels } of set.batches({ batch: 3 })) {
    for (const [place, label] of labels.entries()) rows.push([images[place]!, label]);
  }
  return rows;
}

describe("how files are decoded", () => {
  const made = async (options: ImageFolderOptions) => {
    const folder = temporaryFolder();
    const image = sharp({ create: { width: 6, height: 4, channels: 3, background: "red" } });
    for (const name of ["a/1.png", "b/1.png"]) put(folder, name, await image.png().toBuffer());
    return (await imageFolder(folder, options)).train;
  };

  it.each([
    [{}, { size: [4, 6], resize: "bilinear", crop: false, orient: true }],
    [
      { size: [3, 3] as const, crop: true },
      { size: [3, 3], resize: "bilinear", crop: true, orient: true },
    ],
    [
      { size: [3, 2] as const, resize: "area" as const, orient: false },
      { size: [3, 2], resize: "area", crop: false, orient: false },
    ],
  ])("is told by the data set, its selections and its relabeled form: %j", async (options, decoding) => {
    const data = await made(options);
    const forms = [data, data.select([1]), matchClasses(data, ["b", "a"])];
    expect(forms.map((form) => form.decoding)).toEqual([decoding, decoding, decoding]);
  });
});

describe("matchClasses", () => {
  it.each<[names: string[], labels: number[]]>([
    [
      ["bee", "cat"],
      [0, 1, 1, 0],
    ],
    [
      ["cat", "bee"],
      [1, 0, 0, 1],
    ],
    [
      ["ant", "cat", "dog", "bee"],
      [3, 1, 1, 3],
    ],
  ])("gives the labels that %j have", async (names, labels) => {
    const matched = matchClasses(data, names);
    expect([matched.classes, [...matched.labels]]).toEqual([names, labels]);
    expect(await all(matched)).toEqual([10, 20, 30, 40].map((pixel, place) => [pixel, labels[place]]));
    const some = matched.select([2, 0]);
    expect([some.classes, [...some.labels], some.describe(0)]).toEqual([names, [labels[2], labels[0]], "insects[2]"]);
    expect(await all(some)).toEqual([
      [30, labels[2]],
      [10, labels[0]],
    ]);
  });

  it("matches names composed otherwise, and generators", async () => {
    const samples = () => [{ image: Uint8Array.of(7), label: 1 }];
    const given = fromGenerator({ samples, shape: [1, 1, 1], classes: ["a", "caf\u00e9"] });
    const matched = matchClasses(given, ["cafe\u0301", "b", "a"]);
    expect(await all(matched)).toEqual([[7, 0]]);
  });

  it.each(["arrays", "a generator"])("keeps all of a batch of %s but its labels", async (kind) => {
    const about = { shape: [1, 1, 1] as const, classes: ["bee", "cat"] };
    const given =
      kind === "arrays"
        ? fromArrays({
            ...about,
            images: Uint8Array.of(10, 20, 30),
            labels: [0, 1, 1],
            inputs: { age: { values: [5, 6, 7], shape: [1] } },
          })
        : fromGenerator({ ...about, samples: () => [{ image: Uint8Array.of(7), label: 1 }] });
    const matched = matchClasses(given, ["cat", "bee"]);
    expect({ ...matched, batches: 0 }).toMatchObject(given.inputs ? { inputs: given.inputs } : {});
    const [before, after] = [[], []] as object[][];
    for await (const batch of given.batches({ batch: 2 })) before!.push({ ...batch, labels: [...batch.labels] });
    for await (const batch of matched.batches({ batch: 2 })) {
      const { release, ...rest } = batch;
      expect(release).toBeInstanceOf(Function);
      after!.push({ ...rest, labels: Array.from(batch.labels, (label) => 1 - label) });
    }
    expect(after).toEqual(before);
  });

  it("gives back the memory of a batch", async () => {
    for await (const batch of matchClasses(data, ["cat", "bee"]).batches({ batch: 4 })) {
      batch.release!();
      expect(batch.images).toHaveLength(0);
    }
  });

  it.each<[names: string[], message: string]>([
    [
      ["dog", "cat"],
      'insects: expected classes among ["dog", "cat"], got ["bee", "cat"]; rename or leave out ["bee"].',
    ],
    [["cat", "bee", "cat"], 'matchClasses: expected different names of classes, got ["cat", "bee", "cat"].'],
  ])("refuses %j", (names, message) => {
    expect(() => matchClasses(data, names)).toThrow(message);
  });
});
