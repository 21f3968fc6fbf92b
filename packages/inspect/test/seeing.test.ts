import { activation, chain, conv, dense, globalAvgPool, network } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { embed, embeddingMap, featureMaps, filters, maximalActivation, nearestImages } from "@convkit/inspect";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { branches, image, size } from "./small-networks.ts";

describe.each(engines)("seeing (%s)", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
    // tfjs-node's fusedMatMul keeps its bias for the gradient, which tfjs' own test mode takes for a leak.
    tf.env().set("IS_TEST", false);
  });

  it("feature maps are what a model cut at those layers predicts, also in a nested model", async () => {
    const inner = branches();
    const cut = tfl.model({
      inputs: inner.inputs,
      outputs: ["join", "relu"].map((name) => inner.getLayer(name).output as tfl.SymbolicTensor),
    });
    const wanted = (cut.predict(tf.expandDims(image())) as tf.Tensor[]).map((each) => [...each.dataSync()]);
    const input = tfl.input({ shape: [...size] });
    const outer = tfl.model({ inputs: input, outputs: inner.apply(input) as tfl.SymbolicTensor });
    const before = tf.memory().numTensors;
    const own = await featureMaps(inner, image(), { layers: ["join", "relu"] });
    const paths = own.map(({ layer }) => `${inner.name}/${layer}`);
    const nested = await featureMaps(outer, image(), { layers: paths });
    expect(tf.memory().numTensors - before).toBe(2);
    for (const [i, values] of wanted.entries()) {
      expect(own[i]!.shape).toEqual([8, 10, 8]);
      for (const map of [own[i]!, nested[i]!]) {
        expect(Math.max(...map.values.map((value, at) => Math.abs(value - values[at]!)))).toBeLessThan(1e-6);
      }
    }
    expect((await featureMaps(inner, image())).map(({ layer, shape }) => [layer, ...shape])).toEqual([
      ["stem", 16, 20, 6],
      ["relu", 8, 10, 8],
    ]);
    expect((await featureMaps(outer, image())).map(({ layer }) => layer)).toEqual([`${inner.name}/relu`]);
  });

  it("filters are the kernel of the first convolution, or of the layer", async () => {
    const model = branches();
    const { layer, shape, values } = await filters(model);
    expect([layer, shape]).toEqual(["stem", [3, 3, 3, 6]]);
    expect([...values]).toEqual([...model.getLayer("stem").getWeights()[0]!.dataSync()]);
    expect((await filters(model, { layer: "join.left" })).shape).toEqual([1, 1, 6, 4]);
    await expect(filters(model, { layer: "head" })).rejects.toThrow(
      'expected a convolution with a kernel [h, w, c, filters], "head"',
    );
  });

  it("activation maximization of a linear channel moves along its kernel", async () => {
    const model = network([3, 5, 2], chain({ c: conv(2, [3, 5], { padding: "valid", bias: false }) }));
    const kernel = (model.getLayer("c").getWeights()[0] as tf.Tensor4D).arraySync();
    const gradient = kernel.flat(2).map((pair) => pair[1]!);
    const mean = gradient.reduce((sum, value) => sum + Math.abs(value), 0) / gradient.length;
    const start = tf.fill([3, 5, 2], 0.5) as tf.Tensor3D;
    const { values, activations } = await maximalActivation(model, {
      layer: "c",
      channel: 1,
      image: start,
      steps: 4,
      rate: 0.1,
    });
    gradient.forEach((value, i) => expect(values[i]).toBeCloseTo(0.5 + (4 * 0.1 * value) / mean, 5));
    const product = (image: number[]): number => image.reduce((sum, value, i) => sum + value * gradient[i]!, 0);
    expect(activations).toHaveLength(5);
    expect(activations[0]).toBeCloseTo(product(gradient.map(() => 0.5)), 5);
    expect(activations[4]).toBeCloseTo(product([...values]), 5);
    await expect(maximalActivation(model, {})).rejects.toThrow("either class or layer, got none");
  });

  it("shifts by jitter change nothing where no position is special, and limits hold", async () => {
    const block = chain({
      c: conv(3, 1, { padding: "valid" }),
      r: activation("relu"),
      m: globalAvgPool(),
      d: dense(2),
    });
    const model = network([6, 7, 1], block);
    const options = { class: 1, steps: 3, seed: 4, range: [-0.12, 0.12] } as const;
    const [still, moved] = [
      await maximalActivation(model, options),
      await maximalActivation(model, { ...options, jitter: 3 }),
    ];
    expect(still.shape).toEqual([6, 7, 1]);
    still.values.forEach((value, i) => expect(moved.values[i]).toBeCloseTo(value, 6));
    expect(Math.max(...still.values.map(Math.abs))).toBeCloseTo(0.12, 6);
    expect(still.activations.at(-1)!).toBeGreaterThan(still.activations[0]!);
  });

  it("embeddings are what the last dense layer takes, in any batch", async () => {
    const model = branches();
    const images = tf.stack([image(), tf.neg(image()), tf.zeros([...size])]) as tf.Tensor4D;
    const cut = tfl.model({ inputs: model.inputs, outputs: model.getLayer("mean").output as tfl.SymbolicTensor });
    const wanted = (cut.predict(images) as tf.Tensor).dataSync();
    const found = await embed(model, images, { batch: 2 });
    expect(found.shape).toEqual([3, 8]);
    found.values.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 6));
    const averaged = await embed(model, images, { layer: "relu" });
    averaged.values.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 6));
  });
});

const known = { shape: [4, 2] as const, values: Float32Array.of(3, 4, 0, 2, -6, -8, 4, 3) };
const query = { shape: [1, 2] as const, values: Float32Array.of(6, 8) };

it("nearest images by the cosine of the angle, or by the length of the difference", () => {
  const cosine = nearestImages(known, query);
  expect(cosine.map(({ index }) => index)).toEqual([0, 3, 1, 2]);
  [0, 1 - 48 / 50, 1 - 16 / 20, 2].forEach((wanted, i) => expect(cosine[i]!.distance).toBeCloseTo(wanted, 6));
  const straight = nearestImages(known, query, { count: 2, distance: "euclidean" });
  expect(straight[0]).toEqual({ index: 0, distance: 5 });
  expect(straight[1]!.distance).toBeCloseTo(Math.hypot(2, 5), 6);
  expect(() => nearestImages(known, known)).toThrow("the embedding of one image, [1, 2], got [4,2]");
});

it("a map of embeddings keeps two groups apart, and depends on the seed alone", () => {
  const rows = Array.from({ length: 24 }, (_, i) => [i % 2 === 0 ? 5 : -5, Math.sin(i), Math.cos(3 * i)]);
  const embeddings = { shape: [24, 3] as const, values: Float32Array.from(rows.flat()) };
  const { shape, values } = embeddingMap(embeddings, { neighbors: 6, seed: 3 });
  expect(shape).toEqual([24, 2]);
  expect(embeddingMap(embeddings, { neighbors: 6, seed: 3 }).values).toEqual(values);
  const distance = (a: number, b: number): number =>
    Math.hypot(values[2 * a]! - values[2 * b]!, values[2 * a + 1]! - values[2 * b + 1]!);
  for (let i = 0; i < 24; i++) {
    const others = rows.map((_, j) => j).filter((j) => j !== i);
    const nearest = others.toSorted((a, b) => distance(i, a) - distance(i, b))[0]!;
    expect(nearest % 2).toBe(i % 2);
  }
  expect(() => embeddingMap({ shape: [2, 1], values: Float32Array.of(1, 2) })).toThrow("three images or more, got 2");
});
