import { readFileSync } from "node:fs";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { createModel } from "../src/index.ts";

const golden = JSON.parse(readFileSync(new URL("./depth/random-depth.json", import.meta.url), "utf8")) as {
  name: "resnet18" | "resnet50";
  paths: number[];
  blocks: [name: string, rate: number, size: number, scale: number][];
}[];

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
});

it.each(golden)("drops the paths and blocks of timm's $name", ({ name, paths, blocks }) => {
  const zoo = name === "resnet50" ? "resnet50-tv" : name;
  const model = createModel(zoo, { dropPath: 0.2, dropBlock: 0.1, classes: 3, input: [64, 64, 3] });
  const rates = model.layers.flatMap((layer) => (layer.name.endsWith(".drop_path") ? [layer.getConfig()["rate"]] : []));
  expect(rates).toHaveLength(paths.length);
  for (const [i, rate] of rates.entries()) expect(rate, `path ${i}`).toBeCloseTo(paths[i]!, 12);
  const dropped = model.layers.flatMap((layer) => {
    const { rate, size, scale } = layer.getConfig() as { rate?: number; size?: number; scale?: number };
    return layer.getClassName() === "DropBlock2D" ? [[rate, size, scale]] : [];
  });
  expect(dropped).toEqual(blocks.map(([, ...numbers]) => numbers));
  model.dispose();
});

it("predicts as the network without them", () => {
  const options = { classes: 3, input: [64, 64, 3], seed: 5 } as const;
  const models = [
    createModel("resnet18", options),
    createModel("resnet18", { ...options, dropPath: 0.5, dropBlock: 0.2 }),
  ];
  const x = tf.randomNormal([1, 64, 64, 3], 0, 1, "float32", 3);
  const [plain, dropped] = models.map((model) => [...(model.predict(x) as tf.Tensor).dataSync()]);
  expect(dropped).toEqual(plain);
  for (const model of models) model.dispose();
});

it("replaces the stochastic depth of a network that has its own", () => {
  const model = createModel("convnext-tiny", { dropPath: 0.34, classes: 2, input: [32, 32, 3] });
  const rates = model.layers.flatMap((layer) =>
    layer.getClassName() === "Dropout" ? [layer.getConfig()["rate"]] : [],
  );
  expect(rates).toHaveLength(18);
  rates.forEach((rate, i) => expect(rate).toBeCloseTo((0.34 * i) / 17, 12));
  model.dispose();
});

it("refuses networks without a place for them", () => {
  expect(() => createModel("vgg11", { dropPath: 0.1, input: [32, 32, 3] })).toThrow(/has no residual sums/);
  expect(() => createModel("resnet20-cifar10", { dropBlock: 0.1 })).toThrow(/leave dropBlock out/);
  expect(() => createModel("resnet18", { dropPath: 1 })).toThrow(/dropPath/);
});
