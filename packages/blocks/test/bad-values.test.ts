import * as core from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { OptionError } from "@convkit/errors";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, test } from "vitest";
import * as blocks from "../src/index.ts";

// The tables hold models, so an engine runs before them.
await useEngine("wasm");

/** A value that a function takes, and values that it must refuse. */
interface Argument {
  readonly good: unknown;
  readonly bad: readonly unknown[];
}

const noNumbers = [Number.NaN, Infinity, "3", null, [], {}, true];
const noObjects = [3, "same", null, [1]];
const count = (good = 2): Argument => ({ good, bad: [...noNumbers, 0, -1, 1.5, undefined] });
const whole = (good = 1): Argument => ({ good, bad: [...noNumbers, -1, 1.5] });
const lengths = (good: unknown = 1): Argument => ({
  good,
  bad: [...noNumbers, 0, -1, 1.5, [1], [1, 2, 3], [1, 0.5], [1, "1"]],
});
const number = (good = 0.5, outside: readonly number[] = []): Argument => ({ good, bad: [...noNumbers, ...outside] });
const flag: Argument = { good: true, bad: [0, 1, "true", null, Number.NaN, []] };
const fn = (good: unknown): Argument => ({ good, bad: [3, "relu", null, {}, []] });
const init: Argument = {
  good: core.heNormal,
  bad: [
    "heNormal",
    3,
    null,
    {},
    { kind: "normal", mean: 0, deviation: Number.NaN },
    { kind: "normal", mean: 0, deviation: -1 },
    { kind: "uniform", low: 1, high: 0 },
    { kind: "constant", value: "0" },
  ],
};
const activation: Argument = { good: "relu", bad: ["rellu", "", 3, null, {}, Number.NaN] };
const padding: Argument = {
  good: "same",
  bad: [
    "causal",
    "SAME",
    -1,
    0.5,
    Number.NaN,
    null,
    true,
    {},
    [1],
    [1, -1],
    [1, 2, 3],
    [[1, 2]],
    [
      ["1", 1],
      [1, 1],
    ],
  ],
};
const pads: Argument = { ...padding, good: 1, bad: [...padding.bad, "same", undefined] };
const naming = fn((name: string, part: string) => `${name}.${part}`);
const block = fn(core.identity);

/** Options, each with values to refuse; what is not an object, and a mistyped option, are refused as well. */
const options = (table: Readonly<Record<string, Argument>>): Argument => {
  const good = Object.fromEntries(Object.entries(table).map(([name, { good: value }]) => [name, value]));
  const wrong = Object.entries(table).flatMap(([name, { bad }]) =>
    bad.filter((value) => value !== undefined).map((value) => ({ ...good, [name]: value })),
  );
  return { good, bad: [...noObjects, { ...good, mistyped: 1 }, ...wrong] };
};

const norm = options({ epsilon: number(1e-3, [-1]), momentum: number(0.9, [-0.1, 1.1]), scale: flag, center: flag });
const layerOptions = { padding, stride: lengths(), bias: flag, activation, init, biasInit: init };
const filters = (length: number): Argument => ({
  good: Array.from({ length }, () => 2),
  bad: [
    3,
    "2",
    null,
    undefined,
    [],
    [2],
    Array.from({ length }, () => 0),
    Array.from({ length }, () => 1.5),
    Array.from({ length }, () => "2"),
  ],
});
const basic = { stride: lengths(), padding, bias: flag, norm, naming, shortcut: fn(blocks.projection) };
const unit = fn(blocks.convRelu);
const parts = options({ unit, meanPool: block, maxPool: fn(core.maxPool(3, 2, { padding: "valid" })) });

type Make = (...given: never[]) => core.Block;
const table: Readonly<Record<string, readonly [make: Make, ...args: Argument[]]>> = {
  activation: [core.activation, activation],
  adaptiveAvgPool: [core.adaptiveAvgPool, { ...lengths(2), bad: [...lengths().bad, undefined] }],
  avgPool: [core.avgPool, lengths(2), lengths(2), options({ padding, ceil: flag, countPadding: flag })],
  batchNorm: [core.batchNorm, norm],
  conv: [core.conv, count(), lengths(3), options({ ...layerOptions, dilation: lengths(), groups: count(1) })],
  crop: [
    core.crop,
    {
      ...pads,
      bad: [
        ...pads.bad,
        4,
        [4, 0],
        [
          [7, 1],
          [0, 0],
        ],
      ],
    },
  ],
  dense: [core.dense, count(), options({ activation, bias: flag, init, biasInit: init })],
  depthwiseConv: [core.depthwiseConv, lengths(3), options({ ...layerOptions, multiplier: count() })],
  dropout: [core.dropout, number(0.5, [1, -0.1]), options({ perSample: flag })],
  globalAvgPool: [core.globalAvgPool, options({ keepSize: flag })],
  layerNorm: [core.layerNorm, options({ epsilon: number(1e-3, [-1]) })],
  layerScale: [core.layerScale, number(1e-6)],
  groupNorm: [
    core.groupNorm,
    { ...count(), bad: [...count().bad.filter((value) => value !== undefined), 3] },
    options({ epsilon: number(1e-3, [-1]) }),
  ],
  localResponseNorm: [
    core.localResponseNorm,
    options({ radius: whole(), bias: number(1), alpha: number(), beta: number() }),
  ],
  maxPool: [core.maxPool, lengths(2), lengths(2), options({ padding, ceil: flag })],
  padChannels: [core.padChannels, whole(), whole()],
  rescale: [core.rescale, number(2), number(1)],
  reshape: [
    core.reshape,
    {
      good: [8, 32],
      bad: [3, null, undefined, "8", [0], [-2], [1.5], ["256"], [-1, -1], [255], [-1, 7], [Number.NaN]],
    },
  ],
  scaledAdd: [core.scaledAdd, number(), { ...block, bad: [...block.bad, undefined] }],
  separableConv: [core.separableConv, count(), lengths(3), options({ ...layerOptions, multiplier: count() })],
  stage: [core.stage, count(), { good: () => core.identity, bad: [3, null, undefined, {}] }],
  zeroPad: [core.zeroPad, pads],
  auxiliaryClassifier: [
    blocks.auxiliaryClassifier,
    options({ classes: count(), logits: flag, dropout: number(0.5, [1, -1]) }),
    options({ unit, pool: block }),
  ],
  basicBlock: [blocks.basicBlock, count(), options(basic)],
  bookResidual: [blocks.bookResidual, count(), options({ pooling: flag })],
  bottleneckBlock: [
    blocks.bottleneckBlock,
    count(),
    options({ ...basic, strideOn: { good: "3x3", bad: ["5x5", 3, null] }, groups: count(1), width: count() }),
  ],
  denseBlock: [
    blocks.denseBlock,
    count(),
    count(),
    options({ norm, naming, layerName: fn((name: string, i: number) => `${name}.${i}`) }),
  ],
  denseLayer: [blocks.denseLayer, count(), options({ norm, naming })],
  factorizedInception: [blocks.factorizedInception, filters(6), options({ unit })],
  fire: [blocks.fire, count(), count()],
  inception: [blocks.inception, filters(6), options({ unit })],
  inceptionA: [blocks.inceptionA, parts, count()],
  inceptionB: [blocks.inceptionB, parts],
  inceptionC: [blocks.inceptionC, parts, count()],
  invertedResidual: [
    blocks.invertedResidual,
    count(),
    options({
      stride: count(1),
      expansion: number(2, [0, -1, 0.3]),
      kernel: count(3),
      padding,
      norm,
      init,
      activation: fn(() => core.relu()),
      excite: block,
      drop: block,
      naming,
    }),
  ],
  miniXceptionBlock: [blocks.miniXceptionBlock, count()],
  naiveInception: [blocks.naiveInception, filters(3), options({ unit })],
  preActivationBlock: [blocks.preActivationBlock, count(), options({ stride: lengths(), bias: flag, norm, naming })],
  residual: [
    blocks.residual,
    { ...block, bad: [...block.bad, undefined] },
    { ...block, bad: [...block.bad, undefined], good: (n: number) => core.conv(n, 1, { padding: "same" }) },
    options({ stride: lengths(), naming }),
  ],
  separableUnit: [blocks.separableUnit, count(), options({ stride: lengths() })],
  squeezeExcite: [blocks.squeezeExcite, count(), options({ activation, gate: activation, init, naming })],
  transition: [blocks.transition, options({ norm, naming })],
};

const image = tfl.input({ shape: [8, 8, 4] });

function built(make: Make, args: readonly unknown[]): tfl.SymbolicTensor {
  return (make as (...given: readonly unknown[]) => core.Block)(...args)(image, "x");
}

/** What a function takes in silence, or refuses with another error than an OptionError's sentence. */
function silentlyTaken(use: (args: readonly unknown[]) => unknown, args: readonly Argument[]): string[] {
  const good = args.map((each) => each.good);
  use(good);
  const silent: string[] = [];
  for (const [place, { bad }] of args.entries())
    for (const value of bad) {
      try {
        use(good.with(place, value));
        silent.push(`argument ${place}: ${JSON.stringify(value)} is taken`);
      } catch (error) {
        if (!(error instanceof OptionError))
          silent.push(`argument ${place}: ${JSON.stringify(value)} gives ${String(error)}`);
        else if (!/expected|must/.test(error.message)) silent.push(`argument ${place}: ${error.message}`);
      }
    }
  return silent;
}

describe.each(Object.entries(table))("%s", (_name, [make, ...args]) => {
  test("takes good values, and refuses every bad one with an OptionError", () => {
    const good = args.map((each) => each.good);
    expect(built(make, good).shape.length).toBeLessThanOrEqual(4);
    expect(silentlyTaken((given) => built(make, given), args)).toEqual([]);
  });
});

const net = core.network([4, 4, 1], core.chain([core.conv(2, 1, { padding: "same" }), core.flatten(), core.dense(3)]));
const model: Argument = { good: net, bad: [undefined, null, 3, "lenet5", {}, [], Promise.resolve(net)] };
const text: Argument = { good: "text", bad: [3, null, {}, [], true] };
const names: Argument = { good: ["a", "b"], bad: ["a", 3, [1, 2], ["a", "a"], { a: 1 }] };
const preprocessing = options({
  scale: { good: 0.5, bad: ["3", Number.NaN, Infinity, {}] },
  order: { good: "bgr", bad: ["gbr", 3, []] },
  mean: { good: [1], bad: [3, [], ["1"], [Number.NaN]] },
  std: { good: [1], bad: [3, [], [0], ["1"]] },
});
const images = options({
  size: { good: [4, 4], bad: [4, [4], [0, 4], [1.5, 4], ["4", 4]] },
  resize: { good: "area", bad: ["lanczos", 3, {}] },
  crop: { good: true, bad: [1.5, 0, "true"] },
  orient: { good: false, bad: [0, "false"] },
});
const metadata = options({
  name: text,
  classes: { ...names, bad: [...names.bad, ["a", "b", "c", "d"]] },
  images,
  preprocessing,
});
const seed: Argument = { good: 1, bad: ["1", 1.5, Number.NaN, null, {}] };
const body = {
  ...fn(core.flatten()),
  bad: [...fn(0).bad, undefined, () => 3, () => undefined, () => [], [core.flatten()]],
};
const definition: Argument = {
  good: { call: (x: unknown) => x },
  bad: [undefined, null, 3, {}, { call: 3 }, () => 0, "relu"],
};
let defined = 0;

const calls: Readonly<Record<string, readonly [call: (...given: never[]) => unknown, ...args: Argument[]]>> = {
  withSeed: [
    core.withSeed,
    { ...seed, bad: [...seed.bad, undefined] },
    { ...fn(() => 1), bad: [...fn(0).bad, undefined] },
  ],
  withoutDrawing: [core.withoutDrawing, { ...fn(() => 1), bad: [...fn(0).bad, undefined] }],
  withDefaults: [core.withDefaults, { ...options({ padding, activation, bias: flag, init }) }],
  network: [
    core.network,
    { good: [4, 4, 1], bad: [undefined, null, 28, "28", [], ["4"], [0, 4, 1], [1.5], {}, { x: 3 }] },
    body,
    options({ name: text, seed, classes: names, images, preprocessing }),
  ],
  defineLayer: [
    (name: string, given: never) => core.defineLayer(name === "Good" ? `BadValues${defined++}` : name, given),
    { good: "Good", bad: [undefined, null, 3, "", "2d", "a b", "Dense", {}] },
    definition,
  ],
  replaceHead: [core.replaceHead, model, count(5), options({ seed: { ...seed, bad: seed.bad } })],
  features: [core.features, model, { good: [1], bad: [undefined, null, 1, "conv2d", [], [7], ["none"], [null], {}] }],
  freeze: [core.freeze, model, { good: "conv2d", bad: ["none", 3, null, {}, []] }],
  withoutAux: [core.withoutAux, model],
  summarize: [core.summarize, model],
  summaryText: [core.summaryText, model],
  receptiveFields: [core.receptiveFields, model],
  macs: [core.macs, model],
  modelMetadata: [core.modelMetadata, model],
  setModelMetadata: [core.setModelMetadata, model, { ...metadata, bad: [...metadata.bad, undefined] }],
  preprocessingFor: [core.preprocessingFor, preprocessing, count(3)],
};

test.each(Object.entries(calls))(
  "%s takes good values, and refuses every bad one with an OptionError",
  (_name, [call, ...args]) => {
    expect(silentlyTaken((given) => (call as (...all: readonly unknown[]) => unknown)(...given), args)).toEqual([]);
  },
);

test("blocks of maps refuse inputs of another rank", () => {
  const flat = tfl.input({ shape: [12] });
  const taken = [
    "adaptiveAvgPool",
    "avgPool",
    "conv",
    "crop",
    "depthwiseConv",
    "globalAvgPool",
    "localResponseNorm",
    "maxPool",
    "padChannels",
    "separableConv",
    "zeroPad",
  ].filter((name) => {
    const [make, ...args] = table[name]!;
    try {
      (make as (...given: unknown[]) => core.Block)(...args.map(({ good }) => good))(flat, "x");
      return true;
    } catch (error) {
      return !(error instanceof OptionError);
    }
  });
  expect(taken).toEqual([]);
});
