import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { accelerate, compile } from "../src/index.ts";

/** Distinct numbers in no order, between -1 and 1. */
const mixed = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => (((i + 1) * 7919) % (2 * count + 1)) / count - 1);

interface Axis {
  size: number;
  taps: number;
  stride: number;
  dilation?: number;
  before: number;
  out: number;
}

/** For each output element of one channel, the places of its window's elements in the input, and the taps at these places. */
function windows(axes: readonly Axis[]): { place: number; tap: number }[][] {
  return axes.reduce<{ place: number; tap: number }[][]>(
    (outer, { size, taps, stride, dilation = 1, before, out }) =>
      outer.flatMap((window) =>
        Array.from({ length: out }, (_, o) =>
          window.flatMap(({ place, tap }) =>
            Array.from({ length: taps }, (_, k) => ({ at: o * stride - before + k * dilation, k }))
              .filter(({ at }) => at >= 0 && at < size)
              .map(({ at, k }) => ({ place: place * size + at, tap: tap * taps + k })),
          ),
        ),
      ),
    [[{ place: 0, tap: 0 }]],
  );
}

/** A pool of one image with one channel, and its gradient for `dy`. */
function poolOf(axes: readonly Axis[], kind: "max" | "avg", x: readonly number[], dy: readonly number[]) {
  const gradient = x.map(() => 0);
  const values = windows(axes).map((window, o) => {
    const inside = window.map(({ place }) => x[place]!);
    if (kind === "avg") {
      for (const { place } of window) gradient[place]! += dy[o]! / window.length;
      return inside.reduce((a, b) => a + b) / window.length;
    }
    const largest = Math.max(...inside);
    gradient[x.indexOf(largest)]! += dy[o]!;
    return largest;
  });
  return [values, gradient];
}

const rows: Axis = { size: 6, taps: 3, stride: 2, before: 1, out: 3 };
const columns: Axis = { size: 5, taps: 2, stride: 1, before: 1, out: 6 };
const depth: Axis = { size: 4, taps: 3, stride: 2, before: 1, out: 2 };
const flat = { x: mixed(30), dy: mixed(18) };
const solid = { x: mixed(4 * 4 * 4), dy: mixed(8) };
const pads: tf.backend_util.ExplicitPadding = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 0],
];
const image = () => tf.tensor4d(flat.x, [1, 6, 5, 1]);
const volume = () => tf.tensor5d(solid.x, [1, 4, 4, 4, 1]);
const dilated = {
  rows: { size: 6, taps: 3, stride: 1, dilation: 2, before: 2, out: 6 },
  columns: { size: 5, taps: 2, stride: 1, dilation: 3, before: 1, out: 5 },
  filter: mixed(6),
};
const depthwise = windows([dilated.rows, dilated.columns]).map((window) =>
  window.reduce((sum, { place, tap }) => sum + flat.x[place]! * dilated.filter[tap]!, 0),
);
const filter = () => tf.tensor4d(dilated.filter, [3, 2, 1, 1]);
const withGradient = (f: (x: tf.Tensor) => tf.Tensor, dy: readonly number[]) => (x: tf.Tensor) => {
  const value = f(x);
  return [value, tf.grad(f)(x, tf.reshape(tf.tensor1d([...dy]), value.shape))];
};
const argmax = () => tf.tensor4d([1, 9, 2, 3, 4, 5, 6, 8, 7, 0, 11, 10, -1, -2, -3, -4], [2, 4, 2, 1]);
const numbers = () => tf.tensor2d([3, 1, 1, 0, 2, 3], [2, 3], "int32");

const cases: [string, () => tf.Tensor, (x: tf.Tensor) => tf.Tensor[], readonly (readonly number[])[]][] = [
  [
    "a max pool with explicit padding",
    image,
    withGradient((x) => tf.maxPool(x as tf.Tensor4D, [3, 2], [2, 1], pads), flat.dy),
    poolOf([rows, columns], "max", flat.x, flat.dy),
  ],
  [
    "an average pool with explicit padding",
    image,
    withGradient((x) => tf.avgPool(x as tf.Tensor4D, [3, 2], [2, 1], pads), flat.dy),
    poolOf([rows, columns], "avg", flat.x, flat.dy),
  ],
  ...(["max", "avg"] as const).map((kind): (typeof cases)[number] => [
    `a 3D ${kind} pool with explicit padding`,
    volume,
    withGradient((x) => (kind === "max" ? tf.maxPool3d : tf.avgPool3d)(x as tf.Tensor5D, 3, 2, 1, "floor"), solid.dy),
    poolOf([depth, depth, depth], kind, solid.x, solid.dy),
  ]),
  [
    "a dilated depthwise convolution",
    image,
    (x) => [tf.depthwiseConv2d(x as tf.Tensor4D, filter(), 1, "same", "NHWC", [2, 3])],
    [depthwise],
  ],
  [
    "a dilated depthwise convolution with bias and activation",
    image,
    (x) => [
      tf.fused.depthwiseConv2d({
        x: x as tf.Tensor4D,
        filter: filter(),
        strides: 1,
        pad: "same",
        dilations: [2, 3],
        bias: tf.tensor1d([0.25]),
        activation: "relu",
      }),
    ],
    [depthwise.map((value) => Math.max(0, value + 0.25))],
  ],
  [
    "counts of numbers",
    numbers,
    (x) => [
      tf.denseBincount(x as tf.Tensor2D, tf.tensor2d([], [0, 0]), 4),
      tf.denseBincount(x as tf.Tensor2D, tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]), 4),
      tf.denseBincount(x as tf.Tensor2D, tf.tensor2d([], [0, 0]), 4, true),
    ],
    [
      [0, 2, 0, 1, 1, 0, 1, 1],
      [0, 5, 0, 1, 4, 0, 5, 6],
      [0, 1, 0, 1, 1, 0, 1, 1],
    ],
  ],
  [
    "a max pool with the places",
    argmax,
    (x) =>
      [true, false].flatMap((whole) => Object.values(tf.maxPoolWithArgmax(x as tf.Tensor4D, 2, 2, "valid", whole))),
    [
      [9, 8, 11, -1],
      [1, 7, 10, 12],
      [9, 8, 11, -1],
      [1, 7, 2, 4],
    ],
  ],
];

/** tfjs' own layer of depthwise convolution takes a dilation and leaves it out. */
class Dilated extends tfl.layers.Layer {
  override computeOutputShape(shape: tfl.Shape): tfl.Shape {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat() as [tf.Tensor4D];
    return tf.tidy(() => tf.add(tf.depthwiseConv2d(x, filter(), 1, "same", "NHWC", [2, 3]), 0.5));
  }

  static readonly className = "Dilated";
}

describe.runIf(engines.includes("native"))("kernels that tfjs-node lacks compute arithmetic's numbers", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test.each(cases)("%s", async (_, make, f, expected) => {
    const x = make();
    const agree = (results: readonly { data: ArrayLike<number> }[]) => {
      expect(results).toHaveLength(expected.length);
      for (const [i, { data }] of results.entries()) {
        expect(data).toHaveLength(expected[i]!.length);
        for (const [place, value] of expected[i]!.entries()) expect(data[place]).toBeCloseTo(value, 5);
      }
    };
    agree(tf.tidy(() => f(x).map((tensor) => ({ data: tensor.dataSync() }))));
    for (const deterministic of [true, false]) {
      const compiled = compile(f, { deterministic });
      agree(await compiled(x));
      await compiled.dispose();
    }
  });

  test("a model with a dilated depthwise layer predicts the same accelerated", async () => {
    const make = () => {
      const model = tfl.sequential({
        layers: [
          new Dilated({ inputShape: [6, 5, 1] }),
          tfl.layers.flatten(),
          tfl.layers.dense({ units: 1, kernelInitializer: "ones" }),
        ],
      });
      model.compile({ optimizer: tf.train.sgd(0.01), loss: "meanSquaredError" });
      return model;
    };
    const model = make();
    const accelerated = accelerate(model);
    const sum = depthwise.reduce((a, b) => a + b + 0.5, 0);
    expect((model.predict(image()) as tf.Tensor).dataSync()[0]).toBeCloseTo(sum, 4);
    // Each weight of the last layer moves by the error's gradient: 2 (sum - 1) times the feature that it weighs.
    const loss = await model.trainOnBatch(image(), tf.tensor2d([[1]]));
    expect(loss).toBeCloseTo((sum - 1) ** 2, 3);
    const weights = model.layers[2]!.getWeights()[0]!.dataSync();
    for (const [i, value] of depthwise.entries())
      expect(weights[i]).toBeCloseTo(1 - 0.01 * 2 * (sum - 1) * (value + 0.5), 4);
    await accelerated.dispose();
  });
});
