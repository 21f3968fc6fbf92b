import { crossCorrelate } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { drawWindow } from "@convkit/inspect";
import * as tf from "@tensorflow/tfjs-core";
import { XMLValidator } from "fast-xml-parser";
import { beforeAll, describe, expect, it } from "vitest";
import { windowGrids } from "../src/window/window-arithmetic.ts";
import type { WindowSizes } from "../src/window/window-arithmetic.ts";
import { windowValues } from "../src/window/window-values.ts";

beforeAll(() => useEngine("wasm").then(() => undefined));

const image = [
  [1, 1, 1, 0, 0],
  [0, 1, 1, 1, 0],
  [0, 0, 1, 1, 1],
  [0, 0, 1, 1, 0],
  [0, 1, 1, 0, 0],
];
const kernel = [
  [1, 0, 1],
  [0, 1, 0],
  [1, 0, 1],
];

describe("drawWindow", () => {
  it("works the example out: a 5x5 input under a 3x3 kernel gives 3x3", () => {
    const svg = drawWindow({ input: image, kernel });
    expect(XMLValidator.validate(svg)).toBe(true);
    expect(svg).toContain("convolution 3×3: 5×5 to 3×3");
    expect(svg).toContain("row 0, column 0: 1·1 + 1·0 + 1·1 + 0·0 + 1·1 + 1·0 + 0·1 + 0·0 + 1·1 = 4");
    expect(crossCorrelate(image, kernel)).toEqual([
      [4, 3, 4],
      [2, 4, 3],
      [2, 3, 4],
    ]);
  });

  it("tells where the padding of same takes its rows from", () => {
    expect(drawWindow({ input: 5, kernel: 3, padding: "same" })).toContain("same: 1 above, 1 below, 1 left, 1 right");
    expect(drawWindow({ input: [4, 5], kernel: 2, padding: "same" })).toContain(
      "same: 0 above, 1 below, 0 left, 1 right",
    );
    expect(drawWindow({ input: 4, kernel: 3, stride: 2, padding: "same" })).toContain("0 above, 1 below");
  });

  it("refuses what does not fit", () => {
    expect(() => drawWindow({ input: 2, kernel: 3 })).toThrow(/does not fit/);
    expect(() => drawWindow({ input: 99, kernel: 3 })).toThrow("expected at most 24 cells a side, got 99x99");
    expect(() => drawWindow({ input: [[1, 2], [3]], kernel: 1 })).toThrow(
      /expected input as rows of as many numbers each/,
    );
    expect(() => drawWindow({ input: 4, kernel: 2, positions: [[3, 0]] })).toThrow(
      "expected positions inside of 3x3, got 3, 0",
    );
  });
});

/** Drawn numbers equal TensorFlow's, whatever the window. */
describe("the numbers of a window", () => {
  const [height, width] = [6, 7];
  const input = Array.from({ length: height }, (_, i) =>
    Array.from({ length: width }, (__, j) => Math.round(10 * Math.sin(3 * i + j))),
  );
  const weights = [
    [1, -2, 3],
    [0.5, 1, -1],
  ];
  const sizesOf = (given: Partial<WindowSizes>): WindowSizes => ({
    input: [height, width],
    kernel: [2, 3],
    stride: [1, 1],
    dilation: [1, 1],
    padding: "valid",
    transposed: false,
    ...given,
  });
  const map = (): tf.Tensor4D => tf.tensor4d(input.flat(), [1, height, width, 1]);
  const filter = (): tf.Tensor4D => tf.tensor4d(weights.flat(), [2, 3, 1, 1]);
  const compare = (actual: number[][], expected: tf.Tensor): void => {
    expect([actual.length, actual[0]?.length]).toEqual(expected.shape.slice(1, 3));
    actual.flat().forEach((value, i) => expect(value).toBeCloseTo(expected.dataSync()[i] as number, 4));
  };

  it.each([
    [[1, 1], [1, 1], "valid"],
    [[2, 1], [1, 1], "same"],
    [[2, 3], [1, 1], "same"],
    [[1, 1], [2, 3], "same"],
    [[1, 1], [3, 2], "valid"],
  ] as const)("convolution, stride %j, dilation %j, %s", (stride, dilation, padding) => {
    const sizes = sizesOf({ stride, dilation, padding });
    compare(
      windowValues(input, weights, "convolution", sizes, windowGrids(sizes)),
      tf.conv2d(map(), filter(), [...stride], padding, "NHWC", [...dilation]),
    );
  });

  it.each([
    [[1, 1], "valid"],
    [[2, 3], "same"],
    [[3, 1], "same"],
    [[2, 2], "valid"],
  ] as const)("transposed convolution, stride %j, %s", (stride, padding) => {
    const sizes = sizesOf({ stride, padding, transposed: true });
    const grids = windowGrids(sizes);
    // What the gradient of a convolution by its input computes, for the input that gives this output.
    const expected = tf.conv2dTranspose(map(), filter(), [1, ...grids.dense, 1], [...stride], padding);
    compare(windowValues(input, weights, "convolution", sizes, grids), expected);
  });

  it.each(["max", "average"] as const)("%s pooling with padding", (operation) => {
    const sizes = sizesOf({ stride: [2, 2], padding: "same" });
    const expected = (operation === "max" ? tf.maxPool : tf.avgPool)(map(), [2, 3], [2, 2], "same");
    compare(windowValues(input, undefined, operation, sizes, windowGrids(sizes)), expected);
  });
});

it("draws the title that is given, escaped", () => {
  const svg = drawWindow({ input: 3, kernel: 2, title: "cross-correlation <2>" });
  expect(svg).toContain('<text class="head" font-size="14" x="16" y="24">cross-correlation &lt;2&gt;</text>');
  expect(svg).not.toContain("convolution 2×2");
});
