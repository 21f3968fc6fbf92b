import {
  avgPool,
  batchNorm,
  bottleneckCost,
  chain,
  conv,
  dense,
  depthwiseConv,
  dropout,
  globalAvgPool,
  groupNorm,
  identity,
  localResponseNorm,
  maxPool,
  outputSize,
  separableConv,
  stage,
  zeroPad,
} from "@convkit/core";
import "@tensorflow/tfjs-backend-cpu";
import { OptionError } from "@convkit/errors";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";

/** A call as plain JavaScript makes it. */
// oxlint-disable-next-line typescript/no-explicit-any
const js = (make: any): ((...args: unknown[]) => unknown) => make as (...args: unknown[]) => unknown;
const window = "padding, stride, bias, activation, init, biasInit";
const noPadding =
  'expected padding "same", "valid" or numbers, got undefined; TensorFlow and PyTorch pad differently, so there is no default.';

describe("one sentence for", () => {
  it.each<[string, () => unknown, string]>([
    ["conv(3, 3)", () => js(conv)(3, 3), `conv: ${noPadding}`],
    ["conv(0, 3)", () => js(conv)(0, 3, { padding: 1 }), "conv: expected filters to be a whole number from 1, got 0."],
    [
      "conv(3, [3])",
      () => js(conv)(3, [3], { padding: 1 }),
      "conv: expected size as a whole number from 1 on or as [height, width], got [3].",
    ],
    [
      "conv with strides",
      () => js(conv)(3, 3, { padding: "same", strides: 2 }),
      `conv: expected the options ${window}, dilation, groups, got "strides". Did you mean "stride"?`,
    ],
    [
      "conv with padding causal",
      () => js(conv)(3, 3, { padding: "causal" }),
      `conv: ${noPadding.replace("undefined", '"causal"')}`,
    ],
    [
      "conv with padding -1",
      () => js(conv)(3, 3, { padding: -1 }),
      "padding: expected whole numbers from 0 on, got -1.",
    ],
    [
      "conv with padding [1, 2, 3]",
      () => js(conv)(3, 3, { padding: [1, 2, 3] }),
      "padding: expected whole numbers from 0 on, got [1,2,3].",
    ],
    [
      "conv with stride 0",
      () => js(conv)(3, 3, { padding: 1, stride: 0 }),
      "conv: expected stride as a whole number from 1 on or as [height, width], got 0.",
    ],
    [
      "conv with half a group",
      () => js(conv)(3, 3, { padding: 1, groups: 0.5 }),
      "conv: expected groups to be a whole number from 1, got 0.5.",
    ],
    [
      "conv with a string",
      () => js(conv)(3, 3, "same"),
      `conv: expected an object of options (${window}, dilation, groups), got "same".`,
    ],
    ["depthwiseConv(3)", () => js(depthwiseConv)(3), `depthwiseConv: ${noPadding}`],
    [
      "depthwiseConv with depthMultiplier",
      () => js(depthwiseConv)(3, { padding: 1, depthMultiplier: 2 }),
      `depthwiseConv: expected the options ${window}, multiplier, got "depthMultiplier".`,
    ],
    [
      "depthwiseConv with two strides",
      () => depthwiseConv(3, { padding: 1, stride: [2, 1] }),
      "depthwiseConv: expected one stride for both axes, since TensorFlow's depthwise convolution has no other, got [2,1].",
    ],
    ["separableConv(8, 3)", () => js(separableConv)(8, 3), `separableConv: ${noPadding}`],
    ["maxPool(2, 2)", () => js(maxPool)(2, 2), `maxPool: ${noPadding}`],
    [
      "maxPool(2, options)",
      () => js(maxPool)(2, { padding: "same" }),
      'maxPool: expected stride as a whole number from 1 on or as [height, width], got {"padding":"same"}.',
    ],
    [
      "maxPool with countPadding",
      () => js(maxPool)(2, 2, { padding: 1, countPadding: true }),
      'maxPool: expected the options padding, ceil, got "countPadding".',
    ],
    [
      "avgPool(2)",
      () => js(avgPool)(2, undefined, { pad: 1 }),
      'avgPool: expected the options padding, ceil, countPadding, got "pad". Did you mean "padding"?',
    ],
    [
      "globalAvgPool",
      () => js(globalAvgPool)({ keepdims: true }),
      'globalAvgPool: expected the options keepSize, got "keepdims".',
    ],
    ["dense()", () => js(dense)(), "dense: expected units to be a whole number from 1, got undefined."],
    [
      "dense with useBias",
      () => js(dense)(3, { useBias: false }),
      'dense: expected the options activation, bias, init, biasInit, got "useBias".',
    ],
    [
      "batchNorm",
      () => js(batchNorm)({ eps: 1 }),
      'batchNorm: expected the options epsilon, momentum, scale, center, got "eps". Did you mean "epsilon"?',
    ],
    [
      "groupNorm",
      () => js(groupNorm)({ epsilon: 1 }),
      'groupNorm: expected groups to be a whole number from 1, got {"epsilon":1}.',
    ],
    [
      "localResponseNorm",
      () => js(localResponseNorm)({ size: 5 }),
      'localResponseNorm: expected the options radius, bias, alpha, beta, got "size".',
    ],
    ["dropout", () => js(dropout)(1), "dropout: expected a rate from 0 to below 1, got 1."],
    ["chain of what is no block", () => js(chain)({ a: 3 }), 'chain: expected "a" to be a block, got 3.'],
    [
      "chain with a separator",
      () => js(chain)({ a: identity }, { separator: "_" }),
      'chain: expected the options join, got "separator".',
    ],
    ["stage of none", () => js(stage)(0, () => identity), "stage: expected a whole number of blocks from 1 on, got 0."],
    ["zeroPad", () => js(zeroPad)([1, -1]), "padding: expected whole numbers from 0 on, got [1,-1]."],
    [
      "outputSize",
      () => js(outputSize)(8, { kernel: 3, padding: 1, strides: 2 }),
      'outputSize: expected the options kernel, stride, padding, dilation, ceil, got "strides". Did you mean "stride"?',
    ],
    [
      "bottleneckCost",
      () => js(bottleneckCost)({ width: 3 }),
      'bottleneckCost: expected the options size, channels, kernel, filters, reduced, got "width".',
    ],
    [
      "an unknown initializer",
      () => js(dense(3, js(() => ({ init: "heNormal" }))() as never))(tfl.input({ shape: [3] }), "fc"),
      'fc/kernel: expected an initializer such as glorotUniform or randomNormal(), got "heNormal".',
    ],
  ])("%s", (_, act, message) => {
    expect(act).toThrow(new OptionError(message));
  });
});

describe("stage", () => {
  const names = (block: ReturnType<typeof stage>): string[] => {
    const image = tfl.input({ shape: [8, 6, 3], name: "image" });
    const model = tfl.model({ inputs: image, outputs: block(image, "s") });
    return model.layers.map(({ name, outputShape }) => `${name} ${String(outputShape)}`);
  };
  const block = (i: number) => conv(2 + i, 1, { padding: "valid", stride: i === 0 ? 2 : 1 });

  it("puts blocks after one another and numbers them", () => {
    expect(names(stage(3, block))).toEqual(["image ,8,6,3", "s.b0 ,4,3,2", "s.b1 ,4,3,3", "s.b2 ,4,3,4"]);
  });

  it("names them as a peer does", () => {
    const name = (path: string, i: number): string => `${path}_block${i + 1}`;
    expect(names(stage(2, block, { name }))).toEqual(["image ,8,6,3", "s_block1 ,4,3,2", "s_block2 ,4,3,3"]);
  });
});
