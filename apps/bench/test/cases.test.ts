import { describe, expect, it } from "vitest";
import { cases, fewerThreads, selectCases } from "../src/cases/cases.ts";
import { UsageError } from "../src/usage-error.ts";
import { networks } from "../src/cases/networks.ts";
import { systems } from "../src/cases/systems.ts";

const names = (patterns: string[]) => selectCases(patterns).map(({ name }) => name);

describe("the table of cases", () => {
  it("names each case once, by the convention", () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    for (const { name } of cases)
      expect(name).toMatch(/^(train|predict|first-step|memory|data|load|build|accuracy|scale)\/[a-z0-9-]+$/);
  });

  it.each(cases.map((each) => [each.name, each] as const))(
    "%s is work that its systems have a variant for",
    (_, each) => {
      expect(networks[each.work.network]).toBeDefined();
      for (const system of each.systems)
        expect(systems[system].variants[each.work.do].filter((one) => !each.without?.includes(one))).not.toEqual([]);
      for (const system of Object.keys(each.cannot ?? {})) expect(each.systems).toContain(system);
    },
  );

  const notebooks = [
    "lenet5",
    "simple-cnn",
    "inception-cifar10",
    "residual-same",
    "residual-different",
    "resnet50-small",
    "residual-stack",
    "mini-xception",
    "vgg16-inception",
    "googlenet",
    "resnet50",
  ];

  it.each(notebooks)("has a training step, a first step, memory and prediction of %s", (network) => {
    for (const kind of ["train", "first-step", "memory", "predict"])
      expect(names([`${kind}/${network}-b`])).not.toEqual([]);
  });
});

it.each(["vgg16", "inception-v3"])("has prediction of %s, which a notebook loads", (network) => {
  expect(names([`predict/${network}-b`])).not.toEqual([]);
});

it("trains ResNet-50 on a GPU at two batches in three precisions, beside PyTorch", () => {
  const gpu = cases.filter(({ work }) => work.device === "cuda");
  expect(gpu.map(({ work }) => [work.network, work.batch, work.precision])).toEqual(
    [64, 256].flatMap((batch) => ["float32", "bfloat16", "float16"].map((precision) => ["resnet50", batch, precision])),
  );
  for (const each of gpu) expect(each.systems).toEqual(["convkit", "torch"]);
});

it.each([
  [1, []],
  [2, [1]],
  [4, [1, 2]],
  [6, [1, 2, 4]],
])("%d cores are compared with %j", (cores, fewer) => {
  expect(fewerThreads(cores)).toEqual(fewer);
});

describe("selectCases", () => {
  it.each([
    [["train/lenet5-b32"], ["train/lenet5-b32"]],
    [["predict/lenet5"], ["predict/lenet5-b1", "predict/lenet5-b8", "predict/lenet5-b32"]],
    [["*/lenet5-b32"], ["train/lenet5-b32", "first-step/lenet5-b32", "memory/lenet5-b32", "predict/lenet5-b32"]],
    [["predict/lenet5-b?"], ["predict/lenet5-b1", "predict/lenet5-b8"]],
    [["train/lenet5-b32", "train/lenet5"], ["train/lenet5-b32"]],
    [["train/inception-cifar10-b128"], ["train/inception-cifar10-b128"]],
    [["train/inception-cifar10"], ["train/inception-cifar10-b128", "train/inception-cifar10-b128-adam"]],
  ])("%j picks %j", (patterns, expected) => {
    expect(names(patterns)).toEqual(expected);
  });

  it("picks all for no pattern", () => {
    expect(selectCases([])).toEqual(cases);
  });

  it.each(["lenet", "train/alexnet", "*/nothing", "predict/lenet5-b3["])("refuses %s, listing the cases", (pattern) => {
    expect(() => selectCases([pattern])).toThrow(UsageError);
    expect(() => selectCases([pattern])).toThrow(`There is no case "${pattern}"; the cases are train/lenet5-b32, `);
  });
});
