import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";

import { availableEngines, useEngine } from "@convkit/engine";

const engines = (await availableEngines()).filter((name) => name !== "gpu");

/** Numbers worked out by hand, for kernels that an engine once got wrong. */
describe.each(engines)("on the %s engine", (engine) => {
  beforeAll(() => useEngine(engine));

  const values = (make: () => tf.Tensor): number[] => {
    const before = tf.memory().numTensors;
    const result = tf.tidy(() => Array.from(make().dataSync()));
    expect(tf.memory().numTensors).toBe(before);
    return result;
  };

  test.each<[string, () => tf.Tensor, number[]]>([
    ["a cast to bool is true for all but zero", () => tf.cast([256, 0.5, 0, -1], "bool"), [1, 1, 0, 1]],
    ["of int32 too", () => tf.cast(tf.tensor1d([256, 0, 1], "int32"), "bool"), [1, 0, 1]],
    [
      "cumsum takes a negative axis",
      () =>
        tf.cumsum(
          tf.tensor2d([
            [1, 2],
            [3, 4],
          ]),
          -2,
        ),
      [1, 2, 4, 6],
    ],
    [
      "cumprod takes a negative axis",
      () =>
        tf.cumprod(
          tf.tensor2d([
            [1, 2],
            [3, 4],
          ]),
          -2,
        ),
      [1, 2, 3, 8],
    ],
    [
      "int32 matrices multiply exactly",
      () => tf.matMul(int32([65_537, 2]), int32([65_537, 3]), false, true),
      [131_079],
    ],
    ["a dot product by einsum", () => tf.einsum("i,i->", tf.tensor1d([1, 2, 3]), tf.tensor1d([4, 5, 6])), [32]],
    [
      "a product of matrices by einsum",
      () =>
        tf.einsum(
          "ij,jk->ki",
          tf.tensor2d([
            [1, 2],
            [3, 4],
          ]),
          tf.tensor2d([
            [5, 6],
            [7, 8],
          ]),
        ),
      [19, 43, 22, 50],
    ],
    ["clipByValue keeps NaN", () => tf.clipByValue([Number.NaN, -9, 0.5, 9, 1], -1, 1), [Number.NaN, -1, 0.5, 1, 1]],
    ["relu keeps NaN", () => tf.relu([Number.NaN, -1, 2, 3, 4]), [Number.NaN, 0, 2, 3, 4]],
    ["relu6 keeps NaN", () => tf.relu6([Number.NaN, -1, 2, 9, 4]), [Number.NaN, 0, 2, 6, 4]],
    ["softmax of NaN is NaN", () => tf.softmax([1, Number.NaN, 2]), [Number.NaN, Number.NaN, Number.NaN]],
    [
      "maximum keeps NaN on both sides",
      () => tf.maximum([Number.NaN, 1, 2], [0, Number.NaN, 3]),
      [Number.NaN, Number.NaN, 3],
    ],
    [
      "minimum keeps NaN on both sides",
      () => tf.minimum([Number.NaN, 1, 2], [0, Number.NaN, 3]),
      [Number.NaN, Number.NaN, 2],
    ],
    [
      "maximum keeps NaN where it broadcasts",
      () => tf.maximum(tf.tensor2d([[1], [Number.NaN]]), tf.tensor2d([[0, Number.NaN, 2]])),
      [1, Number.NaN, 2, Number.NaN, Number.NaN, Number.NaN],
    ],
    [
      "the largest of a row with NaN is NaN",
      () =>
        tf.max(
          tf.tensor2d([
            [1, Number.NaN, 3],
            [4, 5, 6],
          ]),
          1,
        ),
      [Number.NaN, 6],
    ],
    [
      "the smallest of a column with NaN is NaN",
      () =>
        tf.min(
          tf.tensor2d([
            [1, Number.NaN],
            [4, 5],
          ]),
          0,
        ),
      [1, Number.NaN],
    ],
    [
      "batch norm over the second axis",
      () =>
        tf.batchNorm4d(
          tf.tensor4d([1, 2, 30, 40], [1, 2, 2, 1]),
          column(1, 30),
          column(4, 25),
          column(0.5, 0),
          column(2, 5),
          0,
        ),
      [0.5, 1.5, 0, 10],
    ],
    [
      "a bias for each column of a convolution's output",
      () =>
        tf.fused.conv2d({
          x: tf.ones([1, 2, 2, 1]) as tf.Tensor4D,
          filter: tf.ones([1, 1, 1, 1]) as tf.Tensor4D,
          strides: 1,
          pad: 0,
          bias: tf.tensor([10, -20], [1, 1, 2, 1]),
          activation: "relu",
        }),
      [11, 0, 11, 0],
    ],
    [
      "one bias for all channels of a convolution",
      () =>
        tf.fused.conv2d({
          x: tf.ones([1, 1, 1, 2]) as tf.Tensor4D,
          filter: tf.ones([1, 1, 2, 3]) as tf.Tensor4D,
          strides: 1,
          pad: 0,
          bias: tf.scalar(0.5),
        }),
      [2.5, 2.5, 2.5],
    ],
    [
      "a bias for each row of a product",
      () =>
        tf.fused.matMul({ a: tf.ones([2, 3]), b: tf.ones([3, 2]), bias: tf.tensor2d([[1], [-4]]), activation: "relu" }),
      [4, 4, 0, 0],
    ],
    ["reflect mirrors at the left edge", () => shifted([1, 2, 3, 4], -3, "nearest"), [3, 2, 1, 1]],
    ["reflect mirrors at the right edge", () => shifted([1, 2, 3, 4], 3, "nearest"), [4, 4, 3, 2]],
    ["reflect mirrors many times over", () => shifted([1, 2], 5, "nearest"), [2, 2]],
    ["reflect between pixels", () => shifted([1, 2, 3, 4], -0.5, "bilinear"), [1, 1.5, 2.5, 3.5]],
    [
      "a mean pool with explicit padding",
      () => tf.avgPool(image3x3(), 3, 1, explicit),
      [2.5, 3, 4, 4.5, 5.5, 6, 7, 7.5],
    ],
    ["a max pool with explicit padding", () => tf.maxPool(image3x3(), 3, 1, explicit), [5, 5, 8, 8, 8, 8, 8, 8]],
    [
      "a max pool that leaves pixels over",
      () => tf.maxPool(tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 2, 6, 1]), 2, 3, 0, "floor"),
      [8, 11],
    ],
    [
      "the gradient of a mean pool with explicit padding: each dy over the 4 or 6 pixels of its window",
      () => tf.grad((x) => tf.avgPool(x as tf.Tensor4D, 3, 1, explicit))(image3x3(), dy4x2()),
      [0, 1.75, 1.75, 0, 4, 4, 0, 9.25, 9.25],
    ],
    [
      "the gradient of a max pool with explicit padding",
      () => tf.grad((x) => tf.maxPool(x as tf.Tensor4D, 3, 1, explicit))(image3x3(), dy4x2()),
      [0, 0, 0, 0, 0, 3, 0, 0, 27],
    ],
    [
      "a max pool of volumes with padding",
      () => tf.maxPool3d(tf.tensor5d([1, -2, -3, -4], [1, 2, 2, 1, 1]), 2, 2, 1, "floor"),
      [1, -2, -3, -4],
    ],
    [
      "a mean pool of volumes with padding",
      () => tf.avgPool3d(tf.tensor5d([1, -2, -3, -4], [1, 2, 2, 1, 1]), 2, 2, 1, "floor"),
      [1, -2, -3, -4],
    ],
    [
      "a dilated depthwise convolution",
      () => tf.depthwiseConv2d(nine(), four(1, 1, 1, 1), 1, "valid", "NHWC", 2),
      [20],
    ],
    [
      "one with padding",
      () => tf.depthwiseConv2d(nine(), four(1, 2, 3, 4), 1, "same", "NHWC", 2),
      [20, 36, 15, 36, 64, 26, 10, 16, 5],
    ],
    [
      "one with bias and activation",
      () =>
        tf.fused.depthwiseConv2d({
          x: nine(),
          filter: four(1, 1, 1, 1),
          strides: 1,
          pad: "valid",
          dilations: 2,
          bias: tf.tensor1d([-19]),
          activation: "relu",
        }),
      [1],
    ],
    [
      "a slice in steps without the axis of one element",
      () => tf.stridedSlice(cube("float32"), [0, 1, 0], [2, 2, 4], [1, 1, 2], 0, 0, 0, 0, 2),
      [4, 6, 16, 18],
    ],
    [
      "one of whole numbers",
      () =>
        tf.stridedSlice(
          tf.add(cube("int32"), tf.scalar(2 ** 25, "int32")),
          [0, 1, 1],
          [2, 2, 4],
          [1, 1, 2],
          0,
          0,
          0,
          0,
          2,
        ),
      [5, 7, 17, 19].map((value) => value + 2 ** 25),
    ],
    [
      "one of truth values",
      () => tf.stridedSlice(tf.equal(cube("int32"), 6), [0, 1, 0], [2, 2, 4], [1, 1, 2], 0, 0, 0, 0, 2),
      [0, 1, 0, 0],
    ],
    [
      "one back to the first element",
      () => tf.stridedSlice(cube("float32"), [0, 2, 3], [1, -4, -5], [1, -1, -2], 0, 0, 0, 0, 1),
      [11, 9, 7, 5, 3, 1],
    ],
    [
      "how often each number is there",
      () => tf.denseBincount(tf.tensor1d([1, 1, 2, 5], "int32"), tf.tensor1d([]), 4),
      [0, 2, 1, 0],
    ],
    [
      "sums of weights by number",
      () => tf.denseBincount(tf.tensor1d([1, 1, 2], "int32"), tf.tensor1d([0.5, 1, 2]), 4),
      [0, 1.5, 2, 0],
    ],
    [
      "where the largest value of a window lies",
      () => tf.maxPoolWithArgmax(tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 9, 8], [1, 3, 3, 1]), 2, 1, "valid")["indexes"]!,
      [4, 5, 7, 7],
    ],
  ])("%s", (_, make, expected) => {
    expect(values(make)).toEqual(
      expected.map((value) => (Number.isNaN(value) ? value : (expect.closeTo(value, 5) as unknown))),
    );
  });

  test("every image of a batch is mirrored by its own projection", () => {
    const rows = [-1, 1].map((shift) => [1, 0, shift, 0, 1, 0, 0, 0]);
    const image = tf.tensor4d([1, 2, 3, 4, 5, 6], [2, 1, 3, 1]);
    expect(values(() => tf.image.transform(image, tf.tensor2d(rows), "nearest", "reflect"))).toEqual([
      1, 1, 2, 5, 6, 6,
    ]);
    image.dispose();
  });

  test.each<[string, () => tf.Tensor]>([
    ["a product with a vector", () => tf.matMul(tf.ones([2, 3]), tf.tensor1d([1, 2, 3]))],
    ["a slice beyond the end", () => tf.slice(tf.ones([2, 2]), [0, 1], [1, 2])],
    [
      "a concatenation of other sizes, one of them empty",
      () => tf.concat([tf.ones([0, 2]), tf.ones([2, 1])] as tf.Tensor[], 0),
    ],
  ])("%s is refused", (_, make) => {
    expect(() => tf.tidy(make)).toThrow(Error);
  });
});

const explicit: [[number, number], [number, number], [number, number], [number, number]] = [
  [0, 0],
  [1, 2],
  [0, 1],
  [0, 0],
];
const image3x3 = (): tf.Tensor4D => tf.tensor4d([0, 1, 2, 3, 4, 5, 6, 7, 8], [1, 3, 3, 1]);
const dy4x2 = (): tf.Tensor4D => tf.tensor4d([0, 3, 0, 6, 0, 9, 0, 12], [1, 4, 2, 1]);
const nine = (): tf.Tensor4D => tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
const four = (...values: number[]): tf.Tensor4D => tf.tensor4d(values, [2, 2, 1, 1]);
const cube = (dtype: "float32" | "int32"): tf.Tensor3D => tf.reshape(tf.range(0, 24, 1, dtype), [2, 3, 4]);
const int32 = (row: number[]): tf.Tensor2D => tf.tensor2d([row], [1, row.length], "int32");
const column = (first: number, second: number): tf.Tensor4D => tf.tensor4d([first, second], [1, 2, 1, 1]);

/** A row of pixels looked at from `shift` pixels further on. */
function shifted(row: number[], shift: number, interpolation: "nearest" | "bilinear"): tf.Tensor {
  const image = tf.tensor4d(row, [1, 1, row.length, 1]);
  return tf.image.transform(image, tf.tensor2d([[1, 0, shift, 0, 1, 0, 0, 0]]), interpolation, "reflect");
}
