import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-layers";
import { availableEngines, useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";

const wanted = process.env["CONVKIT_ENGINES"]?.split(",");
const engines = (await availableEngines()).filter((name) => wanted?.includes(name) ?? true);

/** Numbers between -2 and 2 that repeat nowhere near each other. */
function numbers(shape: readonly number[], seed: number): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, (_, i) => (((i + 1) * (seed * 2 + 7919)) % 4001) / 1000 - 2);
  return tf.tensor(values, [...shape]);
}

type F = (...xs: tf.Tensor[]) => tf.Tensor;
interface Case {
  title: string;
  shapes: readonly (readonly number[])[];
  f: F;
  /** Where no gradient is defined, or none is needed to train. */
  forward?: true;
}

const image = [2, 7, 6, 12];
const positive = (x: tf.Tensor): tf.Tensor => tf.add(tf.abs(x), 0.5);

const broadcasts: readonly (readonly [readonly number[], readonly number[]])[] = [
  [image, image],
  [image, []],
  [[], image],
  [image, [12]],
  [[12], image],
  [image, [1, 1, 1, 12]],
  [image, [2, 1, 1, 12]],
  [image, [2, 7, 6, 1]],
  [image, [7, 6, 12]],
  [image, [1, 7, 1, 12]],
  [[5, 3], [3]],
  [
    [5, 1],
    [1, 3],
  ],
];

const binaries: Readonly<Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor>> = {
  add: (a, b) => tf.add(a, b),
  sub: (a, b) => tf.sub(a, b),
  mul: (a, b) => tf.mul(a, b),
  div: (a, b) => tf.div(a, positive(b)),
  squaredDifference: (a, b) => tf.squaredDifference(a, b),
  maximum: (a, b) => tf.maximum(a, b),
  minimum: (a, b) => tf.minimum(a, b),
};

/** tfjs defines their gradients for equal shapes only. */
const unbroadcast = new Set(["squaredDifference", "maximum", "minimum"]);

const unaries: Readonly<Record<string, F>> = {
  abs: (x) => tf.abs(x!),
  relu: (x) => tf.relu(x!),
  relu6: (x) => tf.relu6(tf.mul(x!, 5)),
  leakyRelu: (x) => tf.leakyRelu(x!, 0.2),
  elu: (x) => tf.elu(x!),
  selu: (x) => tf.selu(x!),
  sigmoid: (x) => tf.sigmoid(x!),
  tanh: (x) => tf.tanh(x!),
  softplus: (x) => tf.softplus(x!),
  erf: (x) => tf.erf(x!),
  exp: (x) => tf.exp(x!),
  log: (x) => tf.log(positive(x!)),
  sqrt: (x) => tf.sqrt(positive(x!)),
  rsqrt: (x) => tf.rsqrt(positive(x!)),
  square: (x) => tf.square(x!),
  neg: (x) => tf.neg(x!),
  reciprocal: (x) => tf.reciprocal(positive(x!)),
  pow: (x) => tf.pow(positive(x!), 1.7),
  clip: (x) => tf.clipByValue(x!, -1, 1),
  step: (x) => tf.step(x!, 0.5),
  softmax: (x) => tf.softmax(x!),
  logSoftmax: (x) => tf.logSoftmax(x!),
  transpose: (x) => tf.transpose(x!, [0, 3, 1, 2]),
  pad: (x) => tf.pad(x!, [[0, 0], [1, 2], [3, 0], [0, 0]]), // prettier-ignore
  reverse: (x) => tf.reverse(x!, 2),
  tile: (x) => tf.tile(x!, [2, 1, 3, 1]),
  tileChannels: (x) => tf.tile(x!, [1, 1, 1, 2]),
  reshape: (x) => tf.reshape(x!, [14, -1]),
  cast: (x) => tf.cast(x!, "float32"),
  slice: (x) => tf.slice(x!, [0, 2, 0, 0], [-1, 3, -1, -1]),
  sliceBox: (x) => tf.slice(x!, [0, 2, 1, 3], [1, 3, 2, 5]),
  gather: (x) => tf.gather(x!, tf.tensor1d([1, 0, 1, 3], "int32"), 1),
  localResponseNormalization: (x) => tf.localResponseNormalization(x as tf.Tensor4D, 2, 1, 0.5, 0.75),
  resizeBilinear: (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [9, 5]),
  resizeNearest: (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [14, 12]),
  globalAverage: (x) => tf.mean(x!, [1, 2]),
  globalMax: (x) => tf.max(x!, [1, 2]),
  cumsum: (x) => tf.cumsum(x!, 1),
  where: (x) => tf.where(tf.greater(numbers(image, 9), 0), x!, tf.mul(x!, 3)),
  split: (x) => tf.add(...(tf.split(x!, [5, 5, 2], 3).slice(0, 2) as [tf.Tensor, tf.Tensor])),
  unstack: (x) => tf.addN(tf.unstack(x!, 2)),
  stack: (x) => tf.stack([x!, tf.neg(x!)], 1),
};

/** tfjs gets the gradient of a cumulative sum wrong, and its cpu backend those of resizing. */
const wrongOnCpu = new Set(["cumsum", "resizeBilinear", "resizeNearest"]);

const axes = [[0], [1], [3], [0, 1, 2], [1, 2], [2, 3], [0, 3], [0, 1, 2, 3]];

const cases: readonly Case[] = [
  ...Object.entries(binaries).flatMap(([name, f]) =>
    broadcasts.map(([a, b]): Case => ({
      title: `${name} [${a}] [${b}]`,
      shapes: [a, b],
      f: f as F,
      ...(!unbroadcast.has(name) || String(a) === String(b) ? {} : { forward: true }),
    })),
  ),
  ...Object.entries(unaries).map(([title, f]): Case => ({
    title,
    shapes: [image],
    f,
    ...(wrongOnCpu.has(title) ? { forward: true } : {}),
  })),
  ...axes.flatMap((axis) =>
    [true, false].flatMap((keep) => [
      { title: `sum over ${axis}${keep ? ", kept" : ""}`, shapes: [image], f: (x: tf.Tensor) => tf.sum(x, axis, keep) },
      { title: `mean over ${axis}${keep ? ", kept" : ""}`, shapes: [image], f: (x: tf.Tensor) => tf.mean(x, axis, keep) },
    ]),
  ) as Case[], // prettier-ignore
  ...[0, 1, 2, 3].map((axis): Case => ({
    title: `concat along ${axis}`,
    shapes: [image, image.with(axis, 3)],
    f: (...xs) => tf.concat(xs, axis),
  })),
  { title: "prelu", shapes: [image, [12]], f: (x, alpha) => tf.prelu(x!, alpha!) },
  {
    title: "batchNorm",
    shapes: [image, [12], [12], [12], [12]],
    f: (x, mean, variance, offset, scale) =>
      tf.batchNorm(x!, mean as tf.Tensor1D, positive(variance!) as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D, 1e-3),
  }, // prettier-ignore
  {
    title: "moments",
    shapes: [image],
    f: (x) => tf.concat([tf.moments(x!, [0, 1, 2]).mean, tf.moments(x!, [0, 1, 2]).variance]),
  },
  { title: "sum of 100,000", shapes: [[100_000]], f: (x) => tf.sum(x!) },
  { title: "mean of [40,000, 3] over 0", shapes: [[40_000, 3]], f: (x) => tf.mean(x!, 0) },
  { title: "argMax", shapes: [image], f: (x) => tf.argMax(x!, 3), forward: true },
  { title: "oneHot", shapes: [[5]], f: (x) => tf.oneHot(tf.cast(tf.abs(x!), "int32"), 4), forward: true },
  { title: "topk", shapes: [[6, 9]], f: (x) => tf.topk(x!, 3).values, forward: true },
];

/** The value and the gradients of a weighted sum of it, on the backend that is set. */
function evaluate({ shapes, f, forward }: Case): Float32Array[] {
  return tf.tidy(() => {
    const xs = shapes.map((shape, index) => numbers(shape, index));
    const y = f(...xs);
    const dy = numbers(y.shape, 5);
    const all = forward ? [y] : [y, ...tf.grads((...ts) => f(...ts))(xs, dy)];
    return all.map((tensor) => Float32Array.from(tensor.dataSync()));
  }) as unknown as Float32Array[];
}

describe.each(engines)("%s engine", (engine) => {
  beforeAll(() => useEngine(engine));

  it.each(cases)("computes $title and its gradient as tfjs' cpu backend does", async (each) => {
    await tf.setBackend("cpu");
    const expected = evaluate(each);
    await useEngine(engine);
    const got = evaluate(each);
    for (const [index, values] of expected.entries()) {
      expect(got[index]!.length).toBe(values.length);
      const worst = values.reduce((most, value, i) => {
        const off = Math.abs(value - got[index]![i]!) / Math.max(1, Math.abs(value));
        return Math.max(most, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off);
      }, 0);
      expect(worst, index === 0 ? "value" : `gradient ${index}`).toBeLessThan(1e-4);
    }
  });
});
