import { useEngine } from "@convkit/engine";
import { executable } from "@convkit/graph";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { type AugmentationSpec, maskAugmentationFrom, type RandomSource, seededRandom } from "../src/index.ts";

// One engine a process: the best that is here.
beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
});

const [n, h, w] = [7, 9, 6];
const classes = Int32Array.from({ length: n * h * w }, (_, i) => (i * 7 + Math.floor(i / 5)) % 3);
const masks = () => tf.tensor3d(classes, [n, h, w], "int32");
/** Images whose pixels say their class: 10 for the class 1, 20 for the class 2. */
const told = () =>
  tf.tensor4d(
    Float32Array.from(classes, (value) => value * 10),
    [n, h, w, 1],
  );
const nearest = { interpolation: "nearest" } as const;

const moves: Record<string, AugmentationSpec> = {
  flip: { flip: "both" },
  rotation: { rotation: { factor: 0.4, ...nearest } },
  "rotation with a constant": { rotation: { factor: 0.4, fill: "constant", fillValue: 90, ...nearest } },
  zoom: { zoom: { factor: 0.4, width: 0.2, fill: "wrap", ...nearest } },
  translation: { translation: { factor: 0.3, width: 0.1, fill: "nearest", ...nearest } },
  crop: { crop: { height: 5, width: 4, pad: 2, fillValue: 90 } },
  all: {
    crop: { height: 8, width: 6, pad: 1, fillValue: 90 },
    flip: "horizontal",
    rotation: { factor: 0.1, ...nearest },
  },
};

describe.each(Object.entries(moves))("%s", (_name, spec) => {
  it("moves masks as it moves images", () => {
    const change = maskAugmentationFrom(spec, { outside: 9 });
    const before = tf.memory().numTensors;
    const [images, given] = [told(), masks()];
    const { images: changed, masks: moved } = change(images, given, seededRandom(3));
    expect([...moved.dataSync()]).toEqual([...changed.dataSync()].map((value) => value / 10));
    expect(moved.dtype).toBe("int32");
    expect([...moved.dataSync()]).not.toEqual([...classes]);
    tf.dispose([images, given, changed, moved]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.runIf(engines[0] === "native")("does so in a compiled step, anew at each run", async () => {
    const change = maskAugmentationFrom(spec, { outside: 9 });
    const run = executable((x, y) => {
      const { images, masks: moved } = change(x as tf.Tensor4D, y as tf.Tensor3D);
      return [images, moved];
    });
    const feeds = [
      { data: Float32Array.from(classes, (value) => value * 10), shape: [n, h, w, 1] },
      { data: classes, shape: [n, h, w] },
    ];
    const results: string[] = [];
    for (let step = 0; step < 3; step += 1) {
      const [images, moved] = await run.run(feeds);
      expect([...moved!.data]).toEqual(Array.from(images!.data, (value) => value / 10));
      results.push(moved!.data.join());
    }
    await run.dispose();
    expect(new Set(results).size).toBe(3);
  });
});

it("leaves masks alone where only colors change or a rectangle is erased", () => {
  const spec = { brightness: 0.4, contrast: 0.3, erasing: { probability: 1 } };
  const { images, masks: moved } = maskAugmentationFrom(spec)(told(), masks(), seededRandom(1));
  expect([...moved.dataSync()]).toEqual([...classes]);
  expect([...images.dataSync()]).not.toEqual([...told().dataSync()]);
});

it("moves masks by the five moves of RandAugment, and by nothing else", () => {
  // Each image has another change: identity, two shears, two shifts, a rotation, brightness.
  const draws = [Array.from({ length: n }, (_, i) => i + 0.5), [0.1, 0.1, 0.9, 0.1, 0.9, 0.9, 0.1]];
  const scripted: RandomSource = {
    uniform: () => tf.tensor1d(draws.shift()!),
    normal: () => {
      throw new Error("RandAugment draws uniform numbers only");
    },
  };
  // A channel for each class; large areas, so that most pixels stay pure where they are interpolated.
  const [side, areas] = [24, 3];
  const areaOf = (i: number) => (Math.floor((i % side) / 9) + Math.floor(i / side / 13)) % areas;
  const plain = Int32Array.from({ length: n * side * side }, (_, i) => areaOf(i % (side * side)));
  const hot = tf.mul(tf.oneHot(tf.tensor1d(plain, "int32"), areas), 200);
  const images = tf.reshape(hot, [n, side, side, areas]) as tf.Tensor4D;
  const change = maskAugmentationFrom({ randAugment: { count: 1, fillValue: 0 } }, { outside: 9 });
  const { images: changed, masks: moved } = change(images, tf.tensor3d(plain, [n, side, side], "int32"), scripted);
  const [pixels, got] = [changed.dataSync(), moved.dataSync()];
  const counts = Array.from({ length: n }, () => ({ pure: 0, outside: 0 }));
  got.forEach((value, place) => {
    const own = [...pixels.subarray(place * areas, (place + 1) * areas)];
    const image = Math.floor(place / (side * side));
    if (own.every((each) => each === 0)) {
      expect(value).toBe(9);
      counts[image]!.outside += 1;
    } else if (own.filter((each) => each > 1).length === 1 && Math.max(...own) > 110) {
      expect(value).toBe(own.indexOf(Math.max(...own)));
      counts[image]!.pure += 1;
    }
  });
  for (const { pure } of counts) expect(pure).toBeGreaterThan(200);
  expect(counts.map(({ outside }) => outside > 0)).toEqual([false, true, true, true, true, true, false]);
  const unmoved = (image: number) => got.slice(image * side * side, (image + 1) * side * side);
  for (const image of [0, 6]) expect([...unmoved(image)]).toEqual([...plain.subarray(0, side * side)]);
});

it("refuses policies that move images only, and masks of another size", () => {
  expect(() => maskAugmentationFrom({ trivialAugment: {} })).toThrow(
    /^maskAugmentationFrom: expected no trivialAugment, which moves images and not their masks; use randAugment/,
  );
  expect(() => maskAugmentationFrom({ flip: "both" })(told(), tf.zeros([n, h, 5], "int32"))).toThrow(
    "Augmentation: expected masks of the shape [7, 9, 6], got [7, 9, 5].",
  );
});
