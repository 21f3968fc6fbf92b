import {
  auxiliaryClassifier,
  basicBlock,
  bookResidual,
  bottleneckBlock,
  convBnRelu,
  convRelu,
  denseBlock,
  factorizedInception,
  fire,
  inception,
  inceptionA,
  inceptionB,
  inceptionC,
  inceptionD,
  inceptionE,
  invertedResidual,
  miniXceptionBlock,
  naiveInception,
  averagedProjection,
  plainProjection,
  preActivationBlock,
  separableUnit,
  squeezeExcite,
  transition,
  zeroShortcut,
} from "@convkit/blocks";
import type { ConvUnit } from "@convkit/blocks";
import { add, batchNorm, chain, conv, dense, flatten, identity, maxPool, relu, summarize } from "@convkit/core";
import type { Block } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";

const same = { padding: "same" } as const;

/** As the notebook: convolution without bias, norm without gamma, ReLU. */
const noGamma: ConvUnit = (filters, kernel, options) =>
  chain({ conv: conv(filters, kernel, { bias: false, ...options }), bn: batchNorm({ scale: false }), relu: relu() });

const relu3 = { padding: "same", activation: "relu" } as const;
const row = [64, 96, 128, 16, 32, 32] as const;

/** Convolutions of 3 filters beside their input: the notebook's residual network where the shapes agree. */
const residualSame: Block = chain({
  sum: add({
    main: chain({ c1: conv(3, 3, relu3), c2: conv(3, 3, relu3), c3: conv(3, 3, relu3) }),
    shortcut: identity,
  }),
  flatten: flatten(),
  fc1: dense(128, { activation: "relu" }),
  fc2: dense(10, { activation: "softmax" }),
});

/** The same where they do not: the pooled map is added to a 1x1 convolution of itself. */
const residualDifferent: Block = chain({
  c1: conv(3, 3, relu3),
  c2: conv(6, 3, relu3),
  pool: maxPool(2, 2, { padding: "valid" }),
  sum: add({ main: identity, shortcut: conv(6, 1, { padding: "valid" }) }),
  flatten: flatten(),
  fc1: dense(128, { activation: "relu" }),
  fc2: dense(10, { activation: "softmax" }),
});

interface Row {
  title: string;
  block: Block;
  input: [number, number, number];
  output: number[];
  total: number;
  trainable: number;
}

const rows: Row[] = [
  ["residual-same", residualSame, [32, 32, 3], [10], 394_886],
  ["residual-different", residualDifferent, [32, 32, 3], [10], 198_320],
  ["naive inception", naiveInception([64, 128, 32]), [28, 28, 192], [28, 28, 416], 387_296],
  ["inception v1 (3a of GoogLeNet)", inception(row), [28, 28, 192], [28, 28, 256], 163_696],
  ["inception v1 with norms", inception(row, { unit: noGamma }), [224, 224, 1], [224, 224, 256], 124_704, 123_968],
  ["factorized inception", factorizedInception(row, { unit: noGamma }), [224, 224, 1], [224, 224, 256], 95_488, 94_432],
  [
    "basic residual",
    basicBlock(16, { ...same, bias: true, shortcut: plainProjection }),
    [32, 32, 16],
    [32, 32, 16],
    4_768,
    4_704,
  ],
  [
    "basic residual at stride 2",
    basicBlock(16, { ...same, stride: 2, bias: true, shortcut: plainProjection }),
    [32, 32, 16],
    [16, 16, 16],
    5_040,
    4_976,
  ],
  [
    "basic residual, option A",
    basicBlock(32, { padding: 1, stride: 2, shortcut: zeroShortcut }),
    [8, 8, 16],
    [4, 4, 32],
    14_080,
    13_952,
  ],
  [
    "basic residual, mean in the shortcut",
    basicBlock(32, { padding: 1, stride: 2, shortcut: averagedProjection }),
    [8, 8, 16],
    [4, 4, 32],
    14_720,
    14_528,
  ],
  [
    "bottleneck, stride on 1x1",
    bottleneckBlock(64, { ...same, strideOn: "1x1", stride: 2 }),
    [8, 8, 64],
    [4, 4, 256],
    76_288,
    75_008,
  ],
  [
    "bottleneck, stride on 3x3",
    bottleneckBlock(64, { padding: 1, strideOn: "3x3", stride: 2 }),
    [8, 8, 256],
    [4, 4, 256],
    137_728,
    136_448,
  ],
  [
    "bottleneck in 32 groups",
    bottleneckBlock(64, { padding: 1, strideOn: "3x3", groups: 32, width: 128 }),
    [8, 8, 256],
    [8, 8, 256],
    72_192,
    71_168,
  ],
  ["pre-activation", preActivationBlock(64), [8, 8, 256], [8, 8, 256], 71_424, 70_656],
  ["pre-activation without biases", preActivationBlock(64, { bias: false }), [8, 8, 256], [8, 8, 256], 71_168, 70_400],
  ["book residual with pooling", bookResidual(32, { pooling: true }), [32, 32, 3], [16, 16, 32], 10_272],
  ["book residual, same shape", bookResidual(32), [8, 8, 32], [8, 8, 32], 18_496],
  ["mini-Xception", miniXceptionBlock(64), [16, 16, 32], [8, 8, 64], 9_440, 9_248],
  ["separable", separableUnit(64, { stride: 2 }), [16, 16, 32], [8, 8, 64], 2_592, 2_464],
  [
    "inverted residual",
    invertedResidual(32, { expansion: 6, padding: "same" }),
    [8, 8, 32],
    [8, 8, 32],
    15_680,
    14_848,
  ],
  ["dense block", denseBlock(3, 8), [8, 8, 16], [8, 8, 40], 9_888, 9_552],
  ["transition", transition(), [8, 8, 64], [4, 4, 32], 2_304, 2_176],
  ["squeeze and excitation", squeezeExcite(4), [8, 8, 32], [8, 8, 32], 292],
  ["auxiliary classifier", auxiliaryClassifier({ classes: 1000, logits: false }), [14, 14, 512], [1000], 3_188_840],
  ["fire", fire(16, 64), [8, 8, 96], [8, 8, 128], 11_920],
  ["inception A", inceptionA({ unit: convBnRelu() }, 32), [17, 17, 192], [17, 17, 256], 256_832, 255_904],
  ["inception B", inceptionB({ unit: convBnRelu() }), [17, 17, 288], [8, 8, 768], 1_154_560, 1_153_280],
  ["inception C", inceptionC({ unit: convBnRelu() }, 128), [9, 9, 768], [9, 9, 768], 1_300_480, 1_297_408],
  ["inception D", inceptionD({ unit: convBnRelu() }), [9, 9, 768], [4, 4, 1280], 1_700_864, 1_698_304],
  ["inception E", inceptionE({ unit: convRelu }), [4, 4, 1280], [4, 4, 2048], 5_041_344],
].map(
  ([title, block, input, output, total, trainable = total]) =>
    ({ title, block, input, output, total, trainable }) as Row,
);

function modelOf(block: Block, shape: readonly number[]): tfl.LayersModel {
  const x = tfl.input({ shape: [...shape], name: "x" });
  return tfl.model({ inputs: x, outputs: block(x, "block") });
}

describe.each(engines)("on %s", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
    // tfjs-node's fusedMatMul keeps its bias for the gradient, which tfjs' own test mode takes for a leak.
    tf.env().set("IS_TEST", false);
  });

  it.each(rows)("$title: $input -> $output, $total weights", ({ block, input, output, total, trainable }) => {
    const model = modelOf(block, input);
    expect(model.outputs[0]?.shape).toEqual([null, ...output]);
    expect(summarize(model).params).toMatchObject({ total, trainable });
    model.dispose();
  });

  it.each(rows)("$title computes, and sends a gradient to every weight", ({ block, input }) => {
    const small = [Math.min(input[0], 17), Math.min(input[1], 17), input[2]];
    const model = modelOf(block, small);
    const x = tf.randomUniform([2, ...small], -1, 1, "float32", 1);
    const { grads } = tf.variableGrads(
      () => {
        const y = model.apply(x, { training: true }) as tf.Tensor;
        return tf.mean(tf.mul(y, tf.randomNormal(y.shape, 0, 1, "float32", 2))) as tf.Scalar;
      },
      model.trainableWeights.map((weight) => weight.read() as tf.Variable),
    );
    const norms = new Set(
      summarize(model)
        .layers.filter(({ type }) => type === "BatchNormalization")
        .flatMap(({ connectedTo }) => connectedTo.map((layer) => `${layer}/bias`)),
    );
    const still = model.trainableWeights.filter((weight) => {
      const gradient = grads[(weight.read() as tf.Variable).name] as tf.Tensor;
      const size = tf.sum(tf.abs(gradient)).dataSync()[0] as number;
      return !Number.isFinite(size) || (size === 0 && !norms.has(weight.originalName));
    });
    expect(still.map(({ originalName }) => originalName)).toEqual([]);
    model.dispose();
  });
});

it("the zero shortcut takes every other pixel and pads channels with zeros", async () => {
  await useEngine(engines[0] ?? "auto");
  const model = modelOf(basicBlock(4, { padding: 1, stride: 2, shortcut: zeroShortcut }), [4, 4, 2]);
  const x = tf.randomUniform([1, 4, 4, 2], 0, 1, "float32", 1) as tf.Tensor4D;
  for (const weight of model.trainableWeights) weight.write(tf.zeros(weight.shape as number[]));
  const y = (model.predict(x) as tf.Tensor4D).arraySync();
  const pixels = x.arraySync();
  for (const row of [0, 1]) {
    for (const column of [0, 1]) {
      expect(y[0]?.[row]?.[column]).toEqual([0, ...(pixels[0]?.[2 * row]?.[2 * column] ?? []), 0]);
    }
  }
});
