import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { type Batch, csvImages, type Dataset, fromArrays, fromGenerator, splitOff } from "../src/index.ts";

const images = Uint8Array.from({ length: 4 * 4 }, (_, i) => i);
const shape = [2, 2, 1] as const;

async function all(data: Dataset, options: Partial<Parameters<Dataset["batches"]>[0]> = {}): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of data.batches({ batch: 2, ...options })) batches.push(batch);
  return batches;
}

describe("targets of arrays", () => {
  const data = fromArrays({
    images,
    shape,
    targets: {
      tags: { kind: "labels", values: [["a"], [], ["b", "a"], ["b"]], names: ["a", "b"] },
      size: { kind: "numbers", values: [1, 2, 3, 4.5] },
      kind: { kind: "class", values: [2, 0, 1, 0], names: ["x", "y", "z"] },
      mask: { kind: "mask", values: images.map((value) => value % 2) },
    },
    inputs: { more: { values: [0, 1, 10, 11, 20, 21, 30, 31], shape: [2] } },
  });

  test("come with each batch, by the images' places", async () => {
    expect(data.classes).toEqual(["x", "y", "z"]);
    expect(data.targets!["mask"]).toEqual({ kind: "mask", names: ["0", "1"], shape: [2, 2] });
    const [first] = await all(data.select([3, 2, 0]));
    expect(first!.targets!["tags"]).toEqual(Float32Array.of(0, 1, 1, 1));
    expect(first!.targets!["size"]).toEqual(Float32Array.of(4.5, 3));
    expect(first!.targets!["mask"]).toEqual(Int32Array.of(0, 1, 0, 1, 0, 1, 0, 1));
    expect(first!.labels).toEqual(Int32Array.of(0, 1));
    expect(first!.inputs!["more"]).toEqual(Float32Array.of(30, 31, 20, 21));
  });

  test("follow the images when they are shuffled and split", async () => {
    for (const set of [data, ...splitOff(data, 0.5)])
      for (const { images: pixels, targets, labels } of await all(set, { shuffle: true, seed: 3 }))
        for (const place of labels.keys())
          expect(targets!["size"]![place]).toBe([1, 2, 3, 4.5][pixels[place * 4]! / 4]);
  });

  test.each([
    [
      { kind: "labels", values: [1, 0, 2, 0, 0, 0, 0, 1], names: ["a", "b"] },
      /the target t: image 1 has 2 for a; expected 0 or 1$/,
    ],
    [{ kind: "labels", values: [["c"]], names: ["a"] }, /image 0 has the label "c", which is none of a$/],
    [{ kind: "numbers", values: [1, 2, Number.NaN, 4] }, /image 2 has NaN; expected a number$/],
    [{ kind: "numbers", values: [1, "2", 3, 4] }, /image 1 has "2"; expected a number$/],
    [{ kind: "numbers", values: [1, 2, 3], names: ["a"] }, /has 3 values, but 4 images with 1 each need 4$/],
    [
      { kind: "class", values: [0, 1, 2, 3], names: ["a", "b"] },
      /image 2 has the class 2; with 2 classes they run from 0 to 1$/,
    ],
    [{ kind: "mask", values: [0, 1] }, /has 2 values, but 4 images with 4 each need 16$/],
    [{ kind: "tags", values: [] }, /should be \{ kind: "class", "labels", "numbers" or "mask", values \}/],
  ])("that do not fit are refused: %j", (target, message) =>
    expect(() => fromArrays({ images, shape, targets: { t: target as never } })).toThrow(message),
  );
});

test("a generator gives targets and inputs", async () => {
  const data = fromGenerator({
    shape,
    targets: { size: { kind: "numbers", names: ["w", "h"] }, tags: { kind: "labels", names: ["a"] } },
    inputs: { more: [1] },
    *samples() {
      for (let i = 0; i < 3; i += 1)
        yield {
          image: images.subarray(i * 4, i * 4 + 4),
          targets: { size: [i, -i], tags: [i % 2] },
          inputs: { more: [i / 2] },
        };
    },
  });
  const [first, last] = await all(data);
  expect(first!.targets).toEqual({ size: Float32Array.of(0, -0, 1, -1), tags: Float32Array.of(0, 1) });
  expect(last!.inputs).toEqual({ more: Float32Array.of(1) });
  const short = fromGenerator({
    shape,
    targets: { size: { kind: "numbers", names: ["w", "h"] } },
    samples: () => [{ image: images.subarray(0, 4), targets: { size: [1] } }],
  });
  await expect(all(short)).rejects.toThrow("generator: sample 0 has 1 values in targets.size; expected 2");
});

describe("targets of a CSV file", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "convkit-targets-"));
    for (const name of ["a", "b", "c"])
      await sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } })
        .png()
        .toFile(join(folder, `${name}.png`));
  });
  const read = async (rows: string, columns: object) => {
    const file = join(folder, "list.csv");
    await writeFile(file, rows);
    return csvImages(file, { columns });
  };
  const rows =
    "path,tags,red,round,width,split\na.png,cat|dog,1,0,2.5,train\nb.png,,0,0,-1,train\nc.png,dog,1,1,1e3,test\n";

  test("names of labels in one column", async () => {
    const { train, test: held } = await read(rows, { labels: "tags" });
    expect(train.targets).toEqual({ labels: { kind: "labels", names: ["cat", "dog"], shape: [2] } });
    expect(train.targetValues!["labels"]).toEqual(Float32Array.of(1, 1, 0, 0));
    expect(held!.targetValues!["labels"]).toEqual(Float32Array.of(0, 1));
  });

  test("labels and numbers in columns of their own, and inputs", async () => {
    const { train } = await read(rows, {
      labels: ["red", "round"],
      numbers: "width",
      inputs: { more: ["width", "red"] },
    });
    const [batch] = await all(train);
    expect(batch!.targets).toEqual({ labels: Float32Array.of(1, 0, 0, 0), numbers: Float32Array.of(2.5, -1) });
    expect(batch!.inputs).toEqual({ more: Float32Array.of(2.5, 1, -1, 0) });
  });

  test.each([
    [{ numbers: "tags" }, /expected a number as tags in line 2, found "cat\|dog"$/],
    [{ labels: ["red", "width"] }, /expected 0 or 1 as width in line 2, found 2.5$/],
    [{ numbers: "height" }, /expected the column height in line 1, found path, tags/],
  ])("cells that do not fit are refused with their line: %j", async (columns, message) =>
    expect(read(rows, columns)).rejects.toThrow(message),
  );
});
