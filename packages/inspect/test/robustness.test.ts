import { readFileSync } from "node:fs";
import { useEngine } from "@convkit/engine";
import { evaluateRobustness, fgsm, pgd } from "@convkit/inspect";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { branches, image } from "./small-networks.ts";

const golden = JSON.parse(readFileSync(new URL("golden/robustness.json", import.meta.url), "utf8")) as Record<
  string,
  number[] & number[][]
>;

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
