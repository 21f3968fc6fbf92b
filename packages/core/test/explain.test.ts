import {
  bottleneckCost,
  chain,
  conv,
  convolve,
  crossCorrelate,
  effectiveReceptiveField,
  maxPool,
  receptiveFields,
  stackedReceptiveField,
} from "@convkit/core";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("receptive field", () => {
  it.each([
    ["two 3x3 see what one 5x5 does", [{ kernel: 3 }, { kernel: 3 }], { size: 5, stride: 1 }],
    ["three 3x3 see 7x7", [{ kernel: 3 }, { kernel: 3 }, { kernel: 3 }], { size: 7, stride: 1 }],
    ["strides multiply", [{ kernel: 7, stride: 2 }, { kernel: 3, stride: 2 }, { kernel: 3 }], { size: 19, stride: 4 }],
    ["dilation widens", [{ kernel: 3, dilation: 4 }], { size: 9, stride: 1 }],
  ])("%s", (_, windows, expected) => {
    expect(stackedReceptiveField(windows)).toEqual(expected);
  });

  it("is what a pixel's gradient reaches", () => {
    const input = tfl.input({ shape: [31, 31, 1], name: "x" });
    const block = chain({
      a: conv(2, 3, { padding: "valid" }),
      b: conv(2, 5, { padding: "valid", stride: 2 }),
      c: conv(2, 3, { padding: "valid", dilation: 2 }),
    });
    const model = tfl.model({ inputs: input, outputs: block(input, "") });
    const center = 5;
    const slope = tf.grad((x) => {
      const y = model.apply(x) as tf.Tensor4D;
      return tf.slice(y, [0, center, center, 0], [1, 1, 1, 1]);
    })(tf.randomNormal([1, 31, 31, 1]));
    const reached = tf
      .sum(tf.abs(slope), [0, 2, 3])
      .dataSync()
      .filter((value) => value !== 0).length;
    expect(receptiveFields(model).get("c")).toEqual({ size: [reached, reached], stride: [2, 2] });
  });

  it("counts pools, and the whole map for dense layers", () => {
    const input = tfl.input({ shape: [8, 8, 1], name: "x" });
    const pooled = maxPool(2, 2, { padding: "valid" })(input, "pool");
    const flat = tfl.layers.flatten({ name: "flat" }).apply(pooled) as tfl.SymbolicTensor;
    const fields = receptiveFields(tfl.model({ inputs: input, outputs: flat }));
    expect(fields.get("pool")?.size).toEqual([2, 2]);
    expect(fields.get("flat")?.size).toEqual([8, 8]);
  });
});

describe("effective receptive field", () => {
  it("of one window is flat, of many a Gaussian from the center", () => {
    expect([...effectiveReceptiveField([{ kernel: 4 }]).weights]).toEqual([0.25, 0.25, 0.25, 0.25]);
    const layers = Array.from({ length: 20 }, () => ({ kernel: 3 }));
    const { size, weights, deviation } = effectiveReceptiveField(layers);
    expect(size).toBe(41);
    expect(deviation).toBeCloseTo(Math.sqrt((20 * 2) / 3), 9);
    weights.forEach((weight, i) => {
      const gaussian = Math.exp(-((i - 20) ** 2) / (2 * deviation ** 2)) / (deviation * Math.sqrt(2 * Math.PI));
      expect(Math.abs(weight - gaussian)).toBeLessThan(0.002);
    });
  });

  it("weighs to 1, symmetrically, over the whole field, for any stack", () => {
    const windows = fc.record({
      kernel: fc.integer({ min: 1, max: 7 }),
      stride: fc.integer({ min: 1, max: 2 }),
      dilation: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(windows, { minLength: 1, maxLength: 5 }), (stack) => {
        const { size, weights } = effectiveReceptiveField(stack);
        expect(size).toBe(stackedReceptiveField(stack).size);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
        weights.forEach((weight, i) => expect(weight).toBeCloseTo(weights[weights.length - 1 - i] as number, 9));
      }),
    );
  });

  it("refuses half a pixel", () => {
    expect(() => effectiveReceptiveField([{ kernel: 2.5 }])).toThrow("whole numbers from 1 on, got 2.5, 1, 1");
  });
});

it("a 1x1 bottleneck saves what the arithmetic says", () => {
  const { direct, bottleneck, saving } = bottleneckCost({
    size: 28,
    channels: 192,
    kernel: 5,
    filters: 32,
    reduced: 16,
  });
  expect(direct).toEqual({ params: 153_632, macs: 120_422_400 });
  expect(bottleneck).toEqual({ params: 192 * 16 + 16 + 25 * 16 * 32 + 32, macs: 2_408_448 + 10_035_200 });
  expect(saving).toBeCloseTo(9.68, 2);
});

describe("convolution and cross-correlation", () => {
  const image = [
    [0, 0, 0],
    [0, 1, 0],
    [0, 0, 0],
    [0, 0, 0],
  ];
  const kernel = [
    [1, 2],
    [3, 4],
  ];

  it("differ by a turn of the kernel", () => {
    expect(crossCorrelate(image, kernel)).toEqual([
      [4, 3],
      [2, 1],
      [0, 0],
    ]);
    expect(convolve(image, kernel)).toEqual([
      [1, 2],
      [3, 4],
      [0, 0],
    ]);
  });

  it("cross-correlation is what conv2d does", () => {
    const y = tf.conv2d(tf.tensor3d(image.flat(), [4, 3, 1]), tf.tensor4d(kernel.flat(), [2, 2, 1, 1]), 1, "valid");
    expect([...y.dataSync()]).toEqual(crossCorrelate(image, kernel).flat());
  });

  it("refuse a kernel larger than the image", () => {
    expect(() => convolve([[1]], kernel)).toThrow("expected a kernel no larger than the 1x1 image, got 2x2");
  });
});
