import { readFileSync } from "node:fs";
import { useEngine } from "@convkit/engine";
import { corrupt, corruptionNames, evaluateRobustness, fgsm, pgd } from "@convkit/inspect";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { corruptWith } from "../src/robustness/corruptions.ts";
import { branches, image } from "./small-networks.ts";

const golden = JSON.parse(readFileSync(new URL("golden/robustness.json", import.meta.url), "utf8")) as Record<
  string,
  number[] & number[][]
>;

/** As `values` of tools/golden/inspect_networks.py. */
const values = (seed: number, count: number, scale: number): number[] =>
  Array.from({ length: count }, (_, i) => ((Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453) % 1) * scale);

const shape = [8, 11, 3] as const;
const count = shape[0] * shape[1] * shape[2];
const pixels = Uint8Array.from(values(31, count, 0.5), (value) => Math.floor((value + 0.5) * 256));
const draws = {
  normal: () => values(32, count, 2),
  uniform: (_: number, stream: number) => values(33 + stream, count, 1).map(Math.abs),
};

describe.each(corruptionNames)("%s", (kind) => {
  it.each([1, 3, 5])("with severity %i is ImageNet-C's", (severity) => {
    const made = corruptWith(pixels, shape, { kind, severity }, draws);
    const wanted = golden[kind]![(severity - 1) / 2]! as number[];
    const off = wanted.filter((value, i) => value !== made[i]);
    // A value just at a whole number may be cut off on either side.
    expect(off.length).toBeLessThanOrEqual(count / 100);
    wanted.forEach((value, i) => expect(Math.abs(value - made[i]!)).toBeLessThanOrEqual(1));
  });
});

it("noise follows the seed, and has the deviation that the kind says", () => {
  const gray = new Uint8Array(100 * 100).fill(128);
  const make = (seed: number) => corrupt(gray, [100, 100, 1], { kind: "gaussian-noise", severity: 1, seed });
  expect(make(1)).toEqual(make(1));
  expect(make(2)).not.toEqual(make(1));
  const noise = Float64Array.from(make(1), (value) => (value + 0.5) / 255 - 128 / 255);
  const deviation = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0) / noise.length);
  expect(Math.abs(deviation - 0.08)).toBeLessThan(0.002);
  const salted = corrupt(gray, [100, 100, 1], { kind: "impulse-noise", severity: 3 });
  expect(Math.abs(salted.filter((value) => value !== 128).length / 10_000 - 0.09)).toBeLessThan(0.01);
  expect(() => corrupt(gray, [100, 100, 1], { kind: "saturate", severity: 1 })).toThrow("one channel");
  expect(() => corrupt(gray, [100, 100, 1], { kind: "contrast", severity: 6 })).toThrow("from 1 to 5, got 6");
});

it("accuracy falls with the severity, and is averaged by kind", async () => {
  // A "network" that is right while the mean of a gray image is near 128.
  const gray = new Uint8Array(64).fill(128);
  const seen: number[] = [];
  const found = await evaluateRobustness(
    async (change) => {
      const made = change === undefined ? gray : await change(gray, [8, 8, 1], seen.push(1));
      return Math.abs(made.reduce((sum, value) => sum + value, 0) / 64 - 128) < 60 ? 1 : 0;
    },
    { kinds: ["brightness", "own"], severities: [1, 2, 5], others: { own: () => (pixels) => pixels } },
  );
  // 0.1, 0.2 and 0.5 of 255 brighter: 25, 51 and 127.
  expect(found.results.map(({ accuracy }) => accuracy)).toEqual([1, 1, 0, 1, 1, 1]);
  expect(found).toMatchObject({ clean: 1, byKind: { brightness: 2 / 3, own: 1 }, mean: 5 / 6 });
  expect(seen).toHaveLength(6);
  await expect(evaluateRobustness(async () => 1, { kinds: ["rain"] })).rejects.toThrow(/kinds among gaussian-noise/);
});

describe("adversarial images", () => {
  beforeAll(async () => {
    await useEngine(engines[0] ?? "wasm");
    tf.env().set("IS_TEST", false);
  });

  const start = () => tf.tidy(() => tf.add(tf.mul(image(), 0.5), 0.5)) as tf.Tensor3D;

  it("are those of torchattacks", async () => {
    const model = branches();
    const common = { epsilon: 0.05, range: [0, 1] } as const;
    const made = {
      fgsm: await fgsm(model, start(), [1], common),
      pgd: await pgd(model, start(), [1], { ...common, stepSize: 0.02, steps: 5 }),
    };
    for (const [name, { values: found, shape: size }] of Object.entries(made)) {
      expect(size).toEqual([1, 16, 20, 3]);
      const wanted = golden[name] as number[];
      expect(Math.max(...wanted.map((value, i) => Math.abs(value - found[i]!)))).toBeLessThan(1e-4);
    }
  });

  it("raise the loss, and refuse labels and ranges that do not fit", async () => {
    const model = branches();
    const [x, range] = [start(), [0, 1] as const];
    const lossOf = async (from: Float32Array | undefined): Promise<number> => {
      const input = from === undefined ? tf.expandDims(x, 0) : tf.tensor(from, [1, 16, 20, 3]);
      return -Math.log((await (model.predict(input) as tf.Tensor).data())[1]!);
    };
    const { values: moved } = await fgsm(model, x, [1], { epsilon: 0.1, range });
    expect(await lossOf(moved)).toBeGreaterThan((await lossOf(undefined)) + 0.01);
    expect(() => fgsm(model, x, [1], { epsilon: 0.1, range, step: 1 } as never)).toThrow("step");
    await expect(fgsm(model, x, [4], { epsilon: 0.1, range })).rejects.toThrow("a class from 0 to 3");
    await expect(fgsm(model, x, [1], { epsilon: 0.1, range: [1, 0] })).rejects.toThrow("range as [least, most]");
  });
});
