import "@tensorflow/tfjs-backend-cpu";
import { readFileSync } from "node:fs";
import { modelMetadata, summarize, summaryText, withoutAux, withoutDrawing } from "@convkit/core";
import { aliases, createModel, findArchitecture, isModelName, list, zoo } from "@convkit/models";
import type { Network } from "@convkit/models";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";

describe("createModel", () => {
  it.each([
    ["vgg16", 14_714_688],
    ["vgg19", 20_024_384],
    ["resnet50", 23_587_712],
    ["resnet101", 42_658_176],
    ["resnet152", 58_370_944],
    ["resnet50v2", 23_564_800],
    ["resnet101v2", 42_626_560],
    ["resnet152v2", 58_331_648],
    ["inception-v3", 21_802_784],
    ["inception-resnet-v2", 54_336_736],
    ["xception", 20_861_480],
    ["mobilenet", 3_228_864],
    ["mobilenet-v2", 2_257_984],
    ["densenet121", 7_037_504],
    ["densenet169", 12_642_880],
    ["densenet201", 18_321_984],
    ["efficientnet-b0", 4_049_571],
    ["efficientnet-b1", 6_575_239],
    ["vgg16-inception", 8_442_064],
  ] as const)("%s without its top has %i weights", (name, params) => {
    const model = createModel(name, { includeTop: false, input: [96, 96, name === "vgg16-inception" ? 1 : 3] });
    expect(model.countParams()).toBe(params);
    model.dispose();
  });

  it("makes vgg16-inception of the notebook: trainable weights, output, three channels", () => {
    const noTop = createModel("vgg16-inception", { includeTop: false, pooling: "max" });
    expect(summarize(noTop).params.trainable).toBe(8_429_680);
    expect(noTop.outputs[0]?.shape).toEqual([null, 512]);
    expect(createModel("vgg16-inception", { input: [224, 224, 3] }).countParams()).toBe(132_086_072);
  });

  it.each([
    ["googlenet", 13_378_280, 13_378_280],
    ["googlenet-tv", 13_019_960, 13_004_888],
    ["inception-v3-tv", 27_197_488, 27_161_264],
  ] as const)(
    "%s with auxiliary classifiers has %i weights, %i trainable, and loses them for inference",
    (name, total, trainable) => {
      const model = createModel(name, { aux: true });
      expect(summarize(model).params).toMatchObject({ total, trainable });
      expect(zoo[name].paramsWithAux).toBe(total);
      expect(model.outputs.length).toBeGreaterThan(1);
      expect(summarize(withoutAux(model)).params.total).toBe(zoo[name].params);
      model.dispose();
    },
  );

  it.each(Object.keys(zoo) as (keyof typeof zoo)[])(
    "the head of %s takes the classes and the dropout asked for",
    (name) => {
      const map = tfl.input({ shape: [2, 2, 4] });
      const head = (zoo[name] as Network).head({ classes: 7, logits: false, dropout: 0.37 });
      const model = withoutDrawing(() => tfl.model({ inputs: map, outputs: head(map, "") }));
      expect(model.outputs[0]?.shape).toEqual([null, 7]);
      const rates = model.layers
        .filter((each) => each.getClassName() === "Dropout")
        .map((each) => each.getConfig()["rate"]);
      expect(new Set(rates)).toEqual(new Set([0.37]));
      model.dispose();
    },
  );

  it.each([
    ["resnet51", 'unknown model "resnet51"; did you mean resnet50'],
    ["vgg-16", "vgg16"],
    ["resnet18-kears", "did you mean resnet18"],
    ["transformer", 'unknown model "transformer"; the zoo has lenet5, simple-cnn'],
    ["__proto__", 'unknown model "__proto__"; the zoo has'],
  ])("refuses the name %s", (name, message) => {
    expect(() => findArchitecture(name)).toThrow(message);
  });
});

describe("names with a source", () => {
  const endings = { keras: "-keras", torchvision: "-tv", paper: "-paper", notebook: "-notebook", timm: "-timm" };

  it("exist for every network of keras.applications, torchvision and timm, and for both of GoogLeNet", () => {
    const wanted = Object.values<Network>(zoo)
      .filter(({ name, source }) => ["keras", "torchvision", "timm"].includes(source) || name === "googlenet")
      .map(({ name, source }) => [`${name.replace(/-(tv|timm)$/, "")}${endings[source]}`, name] as const)
      .filter(([alias, name]) => alias !== name);
    expect(aliases).toEqual(Object.fromEntries(wanted));
  });

  it.each(Object.entries(aliases))("%s is %s", (alias, name) => {
    expect(isModelName(alias)).toBe(true);
    expect(findArchitecture(alias)).toBe(zoo[name]);
    expect(list(alias).map((info) => info.name)).toEqual([name]);
  });

  it("build the network under its plain name, which its metadata and summary show", () => {
    const model = createModel("resnet18-tv", { input: [32, 32, 3] });
    expect(model.name).toBe("resnet18");
    expect(modelMetadata(model)).toMatchObject({ architecture: "resnet18", source: "torchvision" });
    expect(summaryText(model)).toMatch(/Source: torchvision$/);
  });

  it("have the counts of their sources", () => {
    // keras.applications' ResNet50 and torchvision's resnet50.
    expect(findArchitecture("resnet50-keras").params).toBe(25_636_712);
    expect(findArchitecture("resnet50-tv").trainable).toBe(25_557_032);
  });
});

it("names are typed", () => {
  // @ts-expect-error: not in the zoo
  expect(() => createModel("resnet51")).toThrow('unknown model "resnet51"');
});

describe("list", () => {
  it("builds nothing", () => {
    const before = tf.memory().numTensors;
    expect(list()).toHaveLength(Object.keys(zoo).length);
    expect(tf.memory().numTensors).toBe(before);
    expect(() => JSON.stringify(list())).not.toThrow();
  });

  it.each([
    ["vgg1?", ["vgg16", "vgg19", "vgg11", "vgg13"]],
    ["resnet*v2", ["resnet50v2", "resnet101v2", "resnet152v2"]],
    ["lenet5", ["lenet5"]],
    ["resnet18-tv", ["resnet18"]],
    ["resnet50-*", ["resnet50-small", "resnet50", "resnet50-tv"]],
    ["xception-*", ["xception", "xception-timm"]],
    ["mobilenet-v2-*", ["mobilenet-v2", "mobilenet-v2-tv"]],
    ["lenet", []],
    ["a.*", []],
  ])("%s", (pattern, expected) => {
    expect(list(pattern).map(({ name }) => name)).toEqual(expected);
  });

  it("names each network as the zoo does", () => {
    expect(list().map(({ name }) => name)).toEqual(Object.keys(zoo));
  });

  it("says where each comes from and what it takes", () => {
    for (const info of list()) {
      expect(info.paper, info.name).toMatch(/https:\/\//);
      expect(info.input).toHaveLength(3);
      for (const accuracy of [info.accuracy?.top1, info.accuracy?.top5]) {
        if (accuracy !== undefined) expect(accuracy > 50 && accuracy < 100, info.name).toBe(true);
      }
      if (info.accuracy !== undefined) expect(info.accuracy.source, info.name).toMatch(/https:\/\//);
    }
  });
});

it.each(["../README.md", "../../../README.md"])("%s has a row for each network", (page) => {
  const readme = readFileSync(new URL(page, import.meta.url), "utf8");
  const missing = list()
    .map(readmeRow)
    .filter((row) => !readme.includes(row));
  expect(missing).toEqual([]);
});

function readmeRow({ name, source, aliases, input, params, macs, accuracy }: ReturnType<typeof list>[number]): string {
  const count = (value: number): string => value.toLocaleString("en-US");
  const percent =
    accuracy === undefined ? "" : `${accuracy.top1}${accuracy.top5 === undefined ? "" : ` / ${accuracy.top5}`}`;
  const names = [name, ...aliases].map((each) => `\`${each}\``).join(", ");
  return `| ${names} | ${source} | ${input.join("x")} | ${count(params)} | ${count(macs)} | ${percent} |`;
}
