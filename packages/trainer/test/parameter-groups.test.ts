import { readFileSync } from "node:fs";
import {
  type Block,
  add,
  batchNorm,
  chain,
  conv,
  dense,
  depthwiseConv,
  globalAvgPool,
  groupNorm,
  identity,
  network,
  relu,
} from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { type OptimizerConfig, train } from "../src/index.ts";
import { weightPaths } from "../src/model/weight-paths.ts";
import { weightRules } from "../src/optimization/parameter-groups.ts";
import { data, network as regression } from "./arithmetic.ts";

type Scales = Readonly<Record<string, readonly [rate: number, decay: number]>>;

const golden = JSON.parse(readFileSync(new URL("golden/layer-decay.json", import.meta.url), "utf8")) as {
  readonly resnet: Scales;
  readonly convnext: Scales;
};

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  tf.env().set("IS_TEST", false);
});

/** `x + branch(x)`, or with another shortcut; the branches' layers have the names of the block. */
const sum =
  (branch: Block, shortcut: Block = identity): Block =>
  (x, name) =>
    add([() => branch(x, name), () => shortcut(x, name)])(x, `${name}.add`);

/** A small ResNet whose names are those of timm. */
function resnet(): LayersModel {
  const unit = (width: number, kernel: number, stride = 1) =>
    conv(width, kernel, { padding: "same", stride, bias: false });
  const block = (width: number, stride: number, isChanged: boolean) =>
    chain({
      sum: sum(
        chain({
          conv1: unit(width, 3, stride),
          bn1: batchNorm(),
          act1: relu(),
          conv2: unit(width, 3),
          bn2: batchNorm(),
        }),
        isChanged ? chain({ "downsample.b0": unit(width, 1, stride), "downsample.b1": batchNorm() }) : identity,
      ),
      act2: relu(),
    });
  const body = chain({
    conv1: unit(64, 7, 2),
    bn1: batchNorm(),
    act1: relu(),
    "layer1.b0": block(8, 1, true),
    "layer2.b0": block(16, 2, true),
    "layer2.b1": block(16, 1, false),
    "layer3.b0": block(16, 2, true),
    "layer4.b0": block(16, 2, true),
    pool: globalAvgPool(),
    fc: dense(3),
  });
  return network([32, 32, 3], body);
}

/** A small ConvNeXt without its layer scales, whose names are those of timm. */
function convnext(): LayersModel {
  const block = (width: number) =>
    sum(
      chain({
        conv_dw: depthwiseConv(7, { padding: "same" }),
        norm: groupNorm(1),
        "mlp.fc1": conv(width * 4, 1, { padding: 0 }),
        "mlp.fc2": conv(width, 1, { padding: 0 }),
      }),
    );
  const downsample = (width: number) => chain({ b0: groupNorm(1), b1: conv(width, 2, { padding: "same", stride: 2 }) });
  const body = chain({
    "stem.b0": conv(8, 4, { padding: 0, stride: 4 }),
    "stem.b1": groupNorm(1),
    "stages.b0.blocks.b0": block(8),
    "stages.b1.downsample": downsample(16),
    "stages.b1.blocks.b0": block(16),
    "stages.b1.blocks.b1": block(16),
    "stages.b2.downsample": downsample(16),
    "stages.b2.blocks.b0": block(16),
    "stages.b3.downsample": downsample(16),
    "stages.b3.blocks.b0": block(16),
    pool: globalAvgPool({ keepSize: true }),
    "head.norm": groupNorm(1),
    flat: globalAvgPool(),
    "head.fc": dense(3),
  });
  return network([32, 32, 3], body);
}

/** timm's name of a weight. */
function timmName(path: string): string {
  const [layer, weight] = path
    .replaceAll(".sum", "")
    .replaceAll(/\.b(\d)/g, ".$1")
    .split("/") as [string, string];
  return `${layer}.${/kernel|gamma/i.test(weight) ? "weight" : "bias"}`;
}

function scalesOf(model: LayersModel, layerDecay: OptimizerConfig["layerDecay"]): Record<string, number[]> {
  const rules = weightRules(model, { weightDecay: 0.05, layerDecay });
  const trainable = new Set(model.trainableWeights);
  return Object.fromEntries(
    [...weightPaths(model)].flatMap(([weight, path]) => {
      const { rateFactor, weightDecay } = rules.get(weight.read() as tf.Variable)!;
      return trainable.has(weight) ? [[timmName(path), [rateFactor!, weightDecay!]]] : [];
    }),
  );
}

function expectScales(got: Readonly<Record<string, readonly number[]>>, wanted: Scales): void {
  for (const [name, [rate, decay]] of Object.entries(wanted)) {
    if (name.endsWith(".gamma")) continue;
    expect(got[name]?.[0], name).toBeCloseTo(rate, 12);
    expect(got[name]?.[1], name).toBe(decay);
  }
  expect(Object.keys(got)).toHaveLength(Object.keys(wanted).filter((name) => !name.endsWith(".gamma")).length);
}

test("rates and decays of a ResNet are those of timm, by its graph and by expressions", () => {
  const model = resnet();
  expectScales(scalesOf(model, 0.75), golden.resnet);
  const layers = ["^conv1|^bn1", String.raw`^layer(\d+)\.b(\d+)`];
  expectScales(scalesOf(model, { factor: 0.75, layers }), golden.resnet);
});

test("rates and decays of a ConvNeXt are those of timm, by its graph and by expressions", () => {
  const model = convnext();
  expectScales(scalesOf(model, 0.75), golden.convnext);
  const layers = ["^stem", String.raw`^stages\.b(\d+)\.(?:downsample|blocks\.b(\d+))`];
  expectScales(scalesOf(model, { factor: 0.75, layers }), golden.convnext);
});

test("the first group that matches gives rate and decay, and a group without a weight is refused", () => {
  const model = regression();
  const layer = model.layers[1]!.name;
  const rules = (config: Partial<OptimizerConfig>) =>
    Object.fromEntries(
      [...weightRules(model, config)].map(([{ shape }, own]) => [shape.length > 1 ? "kernel" : "bias", own]),
    );
  const groups = [
    { match: `${layer}/bi*`, rateFactor: 3, weightDecay: 0.5 },
    { match: (_path: string, shape: readonly number[]) => shape.length === 1, rateFactor: 7 },
  ];
  expect(rules({ weightDecay: 0.1, groups })).toEqual({
    kernel: { rateFactor: 1, weightDecay: 0.1 },
    bias: { rateFactor: 3, weightDecay: 0.5 },
  });
  expect(() => rules({ groups: [{ match: "stem*" }] })).toThrow(/expected "stem\*" to match a weight of .*, got none/);
});

test.each(["sgd", "adamw", "lion"] as const)("%s moves a group by its own rate and decay", async (name) => {
  const layerName = (model: LayersModel) => model.layers[1]!.name;
  const moved = async (optimizer: (layer: string) => OptimizerConfig, part: 0 | 1) => {
    const model = regression();
    const before = [...model.getWeights()[part]!.dataSync()];
    await train({
      model,
      data,
      epochs: 1,
      batch: data.size,
      restoreBest: false,
      optimizer: optimizer(layerName(model)),
    });
    return [...model.getWeights()[part]!.dataSync()].map((value, i) => value - before[i]!);
  };
  const learningRate = 0.01;
  const close = (got: readonly number[], wanted: readonly number[]) =>
    wanted.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 6));
  const grouped = (layer: string) => ({
    name,
    learningRate,
    weightDecay: 0.2,
    groups: [{ match: `${layer}/kernel`, rateFactor: 0.5, weightDecay: 0.1 }],
  });
  close(await moved(grouped, 0), await moved(() => ({ name, learningRate: learningRate / 2, weightDecay: 0.1 }), 0));
  close(await moved(grouped, 1), await moved(() => ({ name, learningRate, weightDecay: 0.2 }), 1));
});
