import "@tensorflow/tfjs-layers";
import { availableEngines, useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import {
  averagePool,
  convolution,
  depthwise,
  maxPool,
  windowOf,
  type Tensor,
  type Window,
} from "./kernels-reference.ts";

type Pad = "same" | "valid" | readonly [number, number, number, number];

const wanted = process.env["CONVKIT_ENGINES"]?.split(",");
const engines = (await availableEngines()).filter((name) => wanted?.includes(name) ?? true);

const kernels = [
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 4],
  [5, 5],
  [6, 6],
  [7, 7],
  [1, 3],
  [3, 1],
  [1, 7],
  [5, 1],
] as const;
const strides = [
  [1, 1],
  [2, 2],
  [3, 3],
  [2, 1],
] as const;
const pads: readonly Pad[] = ["same", "valid", [1, 0, 2, 1]];

/** Sizes that no kernel divides, channels on both sides of four and eight. */
const inputs = [
  [2, 9, 8, 3],
  [1, 7, 11, 8],
  [3, 8, 7, 5],
] as const;

/** Eighths between -1 and 1, so that pools meet ties; `below` shifts all of them under zero. */
function tensorOf(shape: readonly number[], seed: number, below = 0): Tensor {
  let state = seed * 2_654_435_761 + 1;
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    return ((state >> 8) % 17) / 8 - 1 - below;
  });
  return { shape, values };
}

const toTf = ({ shape, values }: Tensor): tf.Tensor => tf.tensor(values, [...shape]);

const tfPad = (pad: Pad): tf.backend_util.ExplicitPadding | "same" | "valid" =>
  typeof pad === "string"
    ? pad
    : [
        [0, 0],
        [pad[0], pad[1]],
        [pad[2], pad[3]],
        [0, 0],
      ];

/** Values of `f` and its gradients, in one array of tensors. */
function run(f: (...xs: tf.Tensor[]) => tf.Tensor, xs: readonly Tensor[], dy: Tensor): Tensor[] {
  return tf.tidy(() => {
    const tensors = xs.map(toTf);
    const all = [f(...tensors), ...tf.grads(f)(tensors, toTf(dy))];
    return all.map((tensor) => ({ shape: tensor.shape, values: tensor.dataSync() as Float32Array }));
  }) as unknown as Tensor[];
}

function expectClose(got: readonly Tensor[], expected: readonly Tensor[]): void {
  for (const [index, { shape, values }] of expected.entries()) {
    expect(got[index]!.shape).toEqual(shape);
    let worst = 0;
    for (const [i, value] of values.entries()) {
      const off = Math.abs(value - got[index]!.values[i]!) / Math.max(1, Math.abs(value));
      worst = Math.max(worst, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off);
    }
    expect(worst, `output ${index} of [${shape}]`).toBeLessThan(1e-4);
  }
}

const activations = { relu: tf.relu, relu6: tf.relu6, elu: tf.elu, sigmoid: tf.sigmoid } as const;

/** Whether a window lies in the padding as a whole: it has no maximum and no mean. */
function lookPastTheEdge({ kernel, strides, before, out }: Window, [, height, width]: readonly number[]): boolean {
  const past = [height!, width!].map((size, axis) => (out[axis]! - 1) * strides[axis]! - before[axis]! >= size);
  return past.some(Boolean) || before[0] >= kernel[0] || before[1] >= kernel[1];
}

const cases = kernels.flatMap((kernel) =>
  strides.flatMap((stride) =>
    pads.map((pad) => ({ title: `${kernel.join("x")} / ${stride.join("x")} ${pad}`, kernel, stride, pad })),
  ),
);

/** The inputs that a case has an output for. */
function fitting({ kernel, stride, pad }: (typeof cases)[number]): { input: readonly number[]; window: Window }[] {
  return inputs
    .map((input) => ({ input, window: windowOf([input[1], input[2]], kernel, stride, pad) }))
    .filter(({ window }) => window.out.every((size) => size > 0));
}

describe.each(engines)("%s engine", (engine) => {
  beforeAll(() => useEngine(engine));
  // tfjs-node refuses the gradients of explicit padding; TensorFlow 2.21's filter gradient corrupts memory where the two
  // strides differ (oneDNN; not with TF_ENABLE_ONEDNN_OPTS=0), and its depthwise convolution refuses them.
  const convCases = cases.filter(
    ({ pad, stride }) => engine === "wasm" || (typeof pad === "string" && stride[0] === stride[1]),
  );

  it.each(convCases)("convolves $title as plain loops do", (each) => {
    for (const { input, window } of fitting(each)) {
      const x = tensorOf(input, 1);
      for (const filters of [1, 6, 16]) {
        const filter = tensorOf([...each.kernel, input[3]!, filters], 2);
        const dy = tensorOf([input[0]!, ...window.out, filters], 3);
        const { y, dx, dw } = convolution(x, filter, window, dy);
        const conv = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
          tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [...each.stride], tfPad(each.pad));
        expectClose(run(conv as never, [x, filter], dy), [y, dx, dw]);
      }
    }
  });

  it.each(convCases)("convolves $title channel by channel as plain loops do", (each) => {
    for (const { input, window } of fitting(each)) {
      const x = tensorOf(input, 4);
      for (const multiplier of [1, 2, 3]) {
        const filter = tensorOf([...each.kernel, input[3]!, multiplier], 5);
        const dy = tensorOf([input[0]!, ...window.out, input[3]! * multiplier], 6);
        const { y, dx, dw } = depthwise(x, filter, window, dy);
        const conv = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
          tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, [...each.stride], tfPad(each.pad) as "same");
        expectClose(run(conv as never, [x, filter], dy), [y, dx, dw]);
      }
    }
  });

  it.each(convCases)("takes the maximum of $title, ties to the first", (each) => {
    for (const { input, window } of fitting(each)) {
      if (lookPastTheEdge(window, input)) continue;
      for (const below of [0, 3]) {
        const x = tensorOf(input, 7, below);
        const dy = tensorOf([input[0]!, ...window.out, input[3]!], 8);
        const { y, dx } = maxPool(x, window, dy);
        const pool = (x: tf.Tensor): tf.Tensor =>
          tf.maxPool(x as tf.Tensor4D, [...each.kernel], [...each.stride], tfPad(each.pad));
        expectClose(run(pool, [x], dy), [y, dx]);
      }
    }
  });

  it.each(convCases)("averages $title without the padding", (each) => {
    for (const { input, window } of fitting(each)) {
      if (lookPastTheEdge(window, input)) continue;
      const x = tensorOf(input, 9);
      const dy = tensorOf([input[0]!, ...window.out, input[3]!], 10);
      const { y, dx } = averagePool(x, window, dy);
      const pool = (x: tf.Tensor): tf.Tensor =>
        tf.avgPool(x as tf.Tensor4D, [...each.kernel], [...each.stride], tfPad(each.pad));
      expectClose(run(pool, [x], dy), [y, dx]);
    }
  });

  it("multiplies matrices of any size, either side transposed", () => {
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 600 }), fc.boolean(), fc.boolean(), (m, n, k, turnA, turnB) => {
        const a = tensorOf(turnA ? [k, m] : [m, k], 11);
        const b = tensorOf(turnB ? [n, k] : [k, n], 12);
        const expected = new Float32Array(m * n);
        for (let i = 0; i < m; i++)
          for (let j = 0; j < n; j++)
            for (let l = 0; l < k; l++)
              expected[i * n + j]! +=
                a.values[turnA ? l * m + i : i * k + l]! * b.values[turnB ? j * k + l : l * n + j]!;
        const product = tf.tidy(() => tf.matMul(toTf(a), toTf(b), turnA, turnB).dataSync());
        expectClose([{ shape: [m, n], values: product as Float32Array }], [{ shape: [m, n], values: expected }]);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    { a: [2, 3, 5], b: [2, 5, 4] },
    { a: [1, 3, 5], b: [3, 5, 4] },
    { a: [3, 3, 5], b: [1, 5, 4] },
  ])("repeats [$a] or [$b] along the batch", ({ a, b }) => {
    const [x, y] = [tensorOf(a, 13), tensorOf(b, 14)];
    const batch = Math.max(a[0]!, b[0]!);
    const rows = Array.from({ length: batch }, (_, n) =>
      tf.tidy(() => {
        const one = ({ shape, values }: Tensor): tf.Tensor2D => {
          const [count, height, width] = shape as [number, number, number];
          const size = height * width;
          const first = count === 1 ? 0 : n * size;
          return tf.tensor2d(values.slice(first, first + size), [height, width]);
        };
        return [...tf.matMul(one(x), one(y)).dataSync()];
      }),
    );
    const got = tf.tidy(() => tf.matMul(toTf(x), toTf(y)).dataSync());
    expect([...got].map((value) => value.toFixed(4))).toEqual(rows.flat().map((value) => value.toFixed(4)));
  });

  it.each([
    { a: [2, 2, 2, 2], b: [2, 2, 1] },
    { a: [3, 1, 2, 4], b: [1, 2, 4, 3] },
    { a: [2, 3], b: [2, 3, 3, 2] },
    { a: [2, 1, 3, 4], b: [5, 4, 2] },
  ])("repeats a part of [$a] or [$b]", ({ a, b }) => {
    const [x, y] = [tensorOf(a, 21), tensorOf(b, 22)];
    const [got, expected] = tf.tidy(() => {
      const [tx, ty] = [toTf(x), toTf(y)];
      const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.slice(0, -2), b.slice(0, -2));
      // Each product as a sum over its terms: `[..., m, k, 1] * [..., 1, k, n]`.
      const terms = tf.mul(tf.expandDims(tx, -1), tf.expandDims(ty, -3));
      return [tf.matMul(tx, ty), tf.reshape(tf.sum(terms, -2), [...outer, a.at(-2)!, b.at(-1)!])].map((tensor) => ({
        shape: tensor.shape,
        values: tensor.dataSync() as Float32Array,
      }));
    }) as unknown as Tensor[];
    expectClose([got!], [expected!]);
  });

  it.each(["relu", "relu6", "elu", "sigmoid", "linear"] as const)(
    "fuses bias and %s into a convolution",
    (activation) => {
      const x = tensorOf([2, 6, 5, 3], 15);
      const filter = tensorOf([3, 3, 3, 10], 16);
      const bias = tensorOf([10], 17);
      const [fused, apart] = tf.tidy(() => {
        const [tx, tw, tb] = [toTf(x) as tf.Tensor4D, toTf(filter) as tf.Tensor4D, toTf(bias) as tf.Tensor1D];
        const linear = tf.add(tf.conv2d(tx, tw, 1, "same"), tb);
        const expected = activation === "linear" ? linear : activations[activation](linear);
        return [tf.fused.conv2d({ x: tx, filter: tw, strides: 1, pad: "same", bias: tb, activation }), expected].map(
          (tensor) => ({ shape: tensor.shape, values: tensor.dataSync() as Float32Array }),
        );
      }) as unknown as Tensor[];
      expectClose([fused!], [apart!]);
    },
  );

  it.each(["float32", "int32"] as const)("makes one-hot rows of %s", (dtype) => {
    const rows = tf.tidy(() => tf.oneHot(tf.tensor1d([2, 0, 5, -1], "int32"), 3, 4, 1, dtype).arraySync());
    expect(rows).toEqual([
      [1, 1, 4],
      [4, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ]);
  });

  it("leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    const x = tensorOf([2, 8, 8, 4], 18);
    const filter = tensorOf([3, 3, 4, 6], 19);
    const dy = tensorOf([2, 8, 8, 6], 20);
    run(((a: tf.Tensor4D, b: tf.Tensor4D) => tf.conv2d(a, b, 1, "same")) as never, [x, filter], dy);
    expect(tf.memory().numTensors).toBe(before);
  });
});
