import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, chain, dense, flatten, globalAvgPool, network, setModelMetadata, unitPixels } from "@convkit/core";
import type { Architecture } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { classifier, classify, decodePredictions, imagenetClasses } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-classify-"));
beforeAll(() => useEngine(engines[0] ?? "wasm"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A bitmap file of one color. */
function bitmap(height: number, width: number, [red, green, blue]: readonly [number, number, number]): Uint8Array {
  const row = Math.ceil((3 * width) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height);
  bytes.write("BM");
  bytes.writeUInt32LE(bytes.length, 2);
  for (const [at, value] of [
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
    [34, row * height],
  ] as const)
    bytes.writeUInt32LE(value, at);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) bytes.set([blue, green, red], 54 + y * row + 3 * x);
  return bytes;
}

/** The probability of "bright" is 1 / (1 + e^-(4 m - 2)), where m is the mean of all values from 0 to 1. */
function lightMeter(channels: 1 | 3): tfl.LayersModel {
  const model = network([4, 6, channels], chain([globalAvgPool(), dense(2, { activation: "softmax" })]), {
    classes: ["dark", "bright"],
    preprocessing: unitPixels,
  });
  const kernel = tf.tensor2d(Array.from({ length: channels }, () => [0, 4 / channels]));
  model.layers.at(-1)!.setWeights([kernel, tf.tensor1d([0, -2])]);
  return model;
}

const bright = (mean: number): number => 1 / (1 + Math.exp(2 - 4 * mean));

describe("classify", () => {
  const color = [200, 100, 30] as const;
  const file = bitmap(9, 5, color);
  const path = join(folder, "photo.bmp");
  writeFileSync(path, file);
  const pixels = Uint8Array.from({ length: 72 }, (_, i) => color[i % 3]!);
  const mean = (200 + 100 + 30) / 3 / 255;

  test.each([
    ["a path", path],
    ["a URL", pathToFileURL(path)],
    ["the bytes of a file", file],
    ["a Blob", new Blob([Uint8Array.from(file)])],
    ["pixels", { data: pixels, shape: [4, 6, 3] }],
    ["floats", { data: Float32Array.from(pixels), shape: [4, 6, 3] }],
    ["a data URL", `data:image/bmp;base64,${Buffer.from(file).toString("base64")}`],
  ])("names the classes of %s, with the model's preprocessing", async (_title, image) => {
    const chance = bright(mean);
    const answer = await classify(lightMeter(3), image);
    const expected = [
      { index: 1, label: "bright", probability: chance },
      { index: 0, label: "dark", probability: 1 - chance },
    ].toSorted((a, b) => b.probability - a.probability);
    expect(answer).toEqual(
      expected.map(({ probability, ...rest }) => ({
        ...rest,
        probability: expect.closeTo(probability, 5) as number,
        percent: `${(100 * probability).toFixed(2)} %`,
      })),
    );
  });

  test("decodes a color file for a gray network by luma", async () => {
    const [best] = await classify(lightMeter(1), path, { top: 1 });
    const { label, probability } = best!;
    const luma = Math.floor(0.299 * 200 + 0.587 * 100 + 0.114 * 30 + 0.5) / 255;
    expect(label).toBe(bright(luma) > 0.5 ? "bright" : "dark");
    expect(probability).toBeCloseTo(Math.max(bright(luma), 1 - bright(luma)), 5);
  });

  test("gives a list for a list, more than one batch of it, and for a tensor of several images", async () => {
    const model = lightMeter(3);
    const black = { data: new Uint8Array(72), shape: [4, 6, 3] };
    const white = { data: new Uint8Array(72).fill(255), shape: [4, 6, 3] };
    const many = await classify(model, [black, ...Array.from({ length: 33 }, () => white)], { top: 1 });
    expect(many.map(([best]) => best!.label)).toEqual(["dark", ...Array.from({ length: 33 }, () => "bright")]);
    const two = await classify(model, tf.stack([tf.zeros([4, 6, 3]), tf.fill([4, 6, 3], 255)]) as tf.Tensor4D);
    expect(two.map((row) => row.map(({ label }) => label))).toEqual([
      ["dark", "bright"],
      ["bright", "dark"],
    ]);
    const one = await classify(model, tf.fill([4, 6, 3], 255) as tf.Tensor3D);
    expect(one[0]).toMatchObject({ label: "bright", percent: `${(100 * bright(1)).toFixed(2)} %` });
  });

  test("fetches an image from a web address, and says what it answered", async () => {
    const server = createServer((request, response) => {
      if (request.url === "/photo") response.end(file);
      else response.writeHead(404).end();
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      expect(await classify(lightMeter(3), `${base}/photo`)).toHaveLength(2);
      await expect(classify(lightMeter(3), `${base}/none`)).rejects.toThrow(
        `classify: expected an image at ${base}/none, got the answer 404.`,
      );
    } finally {
      server.close();
    }
  });

  test("names ImageNet's classes for a published network with its 1,000 outputs, and for no other", async () => {
    const architecture: Architecture = {
      name: "published",
      source: "keras",
      paper: "none",
      input: [2, 2, 1],
      smallest: 1,
      classes: 1000,
      params: 5_000,
      trainable: 5_000,
      macs: 4_000,
      preprocessing: unitPixels,
      body: (x) => x,
      head: ({ classes }) => chain({ flatten: flatten(), fc: dense(classes, { activation: "softmax" }) }),
    };
    const image = { data: new Uint8Array(4), shape: [2, 2, 1] };
    const labelOf = async (model: tfl.LayersModel): Promise<string> => {
      const units = model.outputs[0]!.shape[1] as number;
      const bias = tf.tensor1d(Array.from({ length: units }, (_, i) => (i === 281 ? 9 : 0)));
      model.layers.at(-1)!.setWeights([model.layers.at(-1)!.getWeights()[0]!, bias]);
      return (await classify(model, image, { top: 1 }))[0]!.label;
    };
    expect(await labelOf(build(architecture))).toBe("tabby");
    expect(await labelOf(build({ ...architecture, source: undefined }))).toBe("281");
    const own = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
    expect(await labelOf(setModelMetadata(build(architecture), { classes: own }))).toBe("class 281");
    expect(await labelOf(build(architecture, { classes: 300 }))).toBe("281");
  });
});

test.each([
  ["no file", { image: join(folder, "none.jpg") }, /none\.jpg cannot be decoded: .*no such file/i],
  ["a number", { image: 5 }, /classify: expected an image as a file's path, URL, bytes or Blob, a tensor .*, got 5\./],
  [
    "pixels of another size",
    { image: { data: new Uint8Array(12), shape: [2, 2, 3] } },
    "classify: expected pixels of the model's size 4x6x3, got 2x2x3; give the file or its bytes, which are resized, or resize the pixels.",
  ],
  [
    "too few values",
    { image: { data: new Uint8Array(12), shape: [4, 6, 3] } },
    "classify: expected pixels of the model's size 4x6x3, got 4x6x3 with 12 values",
  ],
  ["a mistyped option", { options: { tops: 3 } }, 'got "tops". Did you mean "top"?'],
  ["a top of zero", { options: { top: 0 } }, "classify: expected top to be a whole number from 1, got 0."],
  [
    "no model",
    { model: "resnet50" },
    'Expected a model such as createModel or `await loadModel` gives, or the path of one, got "resnet50", which is not there.',
  ],
  [
    "a network without its top",
    { model: () => network([4, 4, 3], (x) => x) },
    /classify: expected a model that ends in classes, but the output of network has the shape \[null,4,4,3\]; add a head/,
  ],
  [
    "a model of vectors",
    { model: () => network([3], dense(2)) },
    /classify: expected a model of images, but network takes/,
  ],
] as const)(
  "classify refuses %s in one sentence",
  async (_title, given: { image?: unknown; options?: object; model?: unknown }, message) => {
    const { image = { data: new Uint8Array(72), shape: [4, 6, 3] }, options, model = () => lightMeter(3) } = given;
    const made = typeof model === "function" ? (model() as unknown) : model;
    await expect(classify(made as tfl.LayersModel, image as Uint8Array, options)).rejects.toThrow(message);
  },
);

test("a classifier compiles once, and reads its own options", async () => {
  const light = classifier(lightMeter(3), { classes: ["night", "day"] });
  const white = { data: new Uint8Array(72).fill(255), shape: [4, 6, 3] };
  expect((await light.classify(white, { top: 1 }))[0]!.label).toBe("day");
  expect((await light.classify([white, white]))[1]![1]!.label).toBe("night");
  await expect(light.classify(white, { topp: 1 } as object)).rejects.toThrow('"topp"');
  await light.dispose();
});

describe("decodePredictions", () => {
  test("orders classes by score and names ImageNet's where there are 1,000", () => {
    const scores = new Float32Array(1000);
    scores.set([0.25, 0.5, 0.125], 207);
    const [best] = decodePredictions({ data: scores, shape: [1, 1000] }, { top: 2 });
    expect(best).toEqual([
      { index: 208, label: "Labrador retriever", probability: 0.5, percent: "50.00 %" },
      { index: 207, label: "golden retriever", probability: 0.25, percent: "25.00 %" },
    ]);
    expect(new Set(imagenetClasses).size).toBe(1000);
  });

  test("one output is the probability of the second class", () => {
    const [row] = decodePredictions({ data: Float32Array.of(0.75), shape: [1, 1] }, { classes: ["cat", "dog"] });
    expect(row!.map(({ label, percent }) => [label, percent])).toEqual([
      ["dog", "75.00 %"],
      ["cat", "25.00 %"],
    ]);
  });

  test("logits get a softmax, one of them a sigmoid", () => {
    const [row] = decodePredictions({ data: Float32Array.of(Math.log(2), Math.log(5), 0), shape: [1, 3] });
    expect(row!.map(({ index }) => index)).toEqual([1, 0, 2]);
    row!.forEach(({ probability }, i) => expect(probability).toBeCloseTo([5 / 8, 2 / 8, 1 / 8][i]!, 6));
    const [single] = decodePredictions({ data: Float32Array.of(-Math.log(3)), shape: [1, 1] });
    expect(single!.map(({ probability }) => probability.toFixed(4))).toEqual(["0.7500", "0.2500"]);
  });

  test("an image's answer does not depend on the others of its batch", async () => {
    const scores = Float32Array.of(0.2, 0.7, 3, -1);
    const both = decodePredictions({ data: scores, shape: [2, 2] });
    const alone = [0, 2].map((from) => decodePredictions({ data: scores.subarray(from, from + 2), shape: [1, 2] })[0]);
    expect(both).toEqual(alone);

    // A model that ends without a softmax has logits, also where they happen to lie between 0 and 1.
    const model = network([2, 2, 1], chain([globalAvgPool(), dense(2)]));
    const image = { data: new Float32Array(4).fill(0.5), shape: [2, 2, 1] };
    const kernel = tf.tensor2d([[0.4, 1.8]]);
    model.layers.at(-1)!.setWeights([kernel, tf.zeros([2])]);
    const [first] = await classify(model, image);
    // Logits 0.2 and 0.9.
    expect(first!.probability).toBeCloseTo(1 / (1 + Math.exp(-0.7)), 6);
    kernel.dispose();
    model.dispose();
  });

  test("refuses scores of another shape", () => {
    expect(() => decodePredictions({ data: new Float32Array(8), shape: [2, 2, 2] })).toThrow(
      "decodePredictions: expected scores of the shape [images, classes], got [2,2,2].",
    );
  });
});
