import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadData } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { evaluate, train } from "@convkit/trainer";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "convkit-decoding-"));
const [data, run] = [join(root, "data"), join(root, "run")];
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Pictures of 16x64 whose middle square tells the class; their sides tell the other one. */
async function wideFolder(): Promise<void> {
  for (const [name, middle, sides] of [
    ["dark", 40, 255],
    ["light", 200, 0],
  ] as const) {
    mkdirSync(join(data, name), { recursive: true });
    const isMiddle = (at: number) => Math.abs((Math.floor(at / 3) % 64) - 31.5) < 8;
    for (let i = 0; i < 4; i += 1) {
      const pixels = Uint8Array.from({ length: 16 * 64 * 3 }, (_, at) => (isMiddle(at) ? middle + i : sides));
      const raw = { width: 64, height: 16, channels: 3 } as const;
      await sharp(pixels, { raw })
        .png()
        .toFile(join(data, name, `${i}.png`));
    }
  }
}

describe("a model that was trained on cropped pictures of any size", () => {
  let loss = 0;
  beforeAll(async () => {
    await useEngine();
    await wideFolder();
    const splits = await loadData(data, { size: [8, 8], crop: true });
    const dense = tfl.layers.dense({ units: 2, activation: "softmax" });
    const mean = tfl.layers.globalAveragePooling2d({ inputShape: [null, null, 3] } as never);
    const model = tfl.sequential({ layers: [mean, dense] });
    // A bright picture is light: right for the middles, wrong for the whole pictures, whose means are 201 and 50.
    dense.setWeights([tf.tensor2d([-4, 4, -4, 4, -4, 4], [3, 2]), tf.tensor1d([6, -6])]);
    const preprocessing = { scale: 1 / 255 };
    const optimizer = { name: "sgd", learningRate: 1e-6 } as const;
    await train({ model, data: splits, epochs: 1, optimizer, preprocessing, out: run });
    const result = await evaluate(model, splits.train);
    expect(result.accuracy).toBe(1);
    loss = result.loss;
  });

  test("is evaluated on the same pixels", async () => {
    const { status, out, err } = await call("evaluate", run, "--data", data, "--json");
    expect(status, err).toBe(0);
    const result = JSON.parse(out) as { readonly accuracy: number; readonly loss: number };
    expect(result.accuracy).toBe(1);
    expect(result.loss).toBeCloseTo(loss, 6);
  });

  test("predicts from the same pixels", async () => {
    const { status, out, err } = await call("predict", run, data, "--json");
    expect(status, err).toBe(0);
    const answers = JSON.parse(out) as { image: string; predictions: { label: string }[] }[];
    expect(answers.map(({ predictions }) => predictions[0]!.label)).toEqual([
      ...Array<string>(4).fill("dark"),
      ...Array<string>(4).fill("light"),
    ]);
  });

  test.each([
    ["evaluate", ["--data", data, "--classes", "3"], "--classes is for networks of the zoo"],
    ["evaluate", ["--data", data, "--input", "8x8x3", "--no-top"], "--no-top, --input are for networks of the zoo"],
    ["predict", [data, "--pooling", "max"], "--pooling is for networks of the zoo"],
    ["summary", ["--weights", "imagenet"], "--weights is for networks of the zoo"],
  ])("%s refuses options that would change the network: %j", async (command, args, message) => {
    const { status, out, err } = await call(command, run, ...args);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });
});

describe("a CSV file of paths outside of its folder", () => {
  const csv = join(root, "lists", "list.csv");
  beforeAll(() => {
    mkdirSync(join(root, "lists"), { recursive: true });
    const rows = ["dark/0", "dark/1", "light/0", "light/1", "light/0"].map((name, place) => {
      const label = place === 4 ? "dark" : name.slice(0, -2);
      return `../data/${name}.png,${label}`;
    });
    writeFileSync(csv, ["path,label", ...rows, ""].join("\n"));
  });

  test("is refused with the option that allows it", async () => {
    const { status, err } = await call("evaluate", run, "--data", csv);
    expect(status).toBe(1);
    expect(err).toMatch(/allow it with the option outside/);
  });

  test("is evaluated with --outside, and notes tell of a file with two labels", async () => {
    const { status, out, err } = await call("evaluate", run, "--data", csv, "--outside", "--json");
    expect(status, err).toBe(0);
    // Four of the five rows have the right label.
    expect(JSON.parse(out)).toMatchObject({ count: 5, accuracy: 0.8, top1: 0.8 });
    expect(err).toMatch(/0\.png two labels: light in line 4, dark in line 6/);
  });
});
