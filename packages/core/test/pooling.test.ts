import { adaptiveAvgPool, avgPool, globalAvgPool, maxPool } from "@convkit/core";
import type { Block } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";

interface Case {
  mode: "max" | "average";
  size: number;
  kernel: number;
  stride: number;
  pad: number;
  ceil: boolean;
  countPadding: boolean;
}

const cases: Case[] = [true, false].flatMap((ceil) =>
  [
    { size: 8, kernel: 3, stride: 2, pad: 1 },
    { size: 7, kernel: 3, stride: 2, pad: 1 },
    { size: 6, kernel: 3, stride: 2, pad: 0 },
    { size: 5, kernel: 2, stride: 2, pad: 0 },
    { size: 5, kernel: 3, stride: 3, pad: 1 },
    ...(ceil ? [{ size: 2, kernel: 3, stride: 2, pad: 0 }] : []),
  ].flatMap((window) => [
    { ...window, ceil, mode: "max" as const, countPadding: true },
    { ...window, ceil, mode: "average" as const, countPadding: true },
    { ...window, ceil, mode: "average" as const, countPadding: false },
  ]),
);

/** PyTorch's definition, one pixel at a time. */
function reference(x: number[][], { mode, kernel, stride, pad, ceil, countPadding }: Case): number[][] {
  const size = x.length;
  const steps = (size + 2 * pad - kernel) / stride;
  let out = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  if (ceil && (out - 1) * stride >= size + pad) out -= 1;
  return Array.from({ length: out }, (_, row) =>
    Array.from({ length: out }, (_, column) => {
      const range = (index: number): [number, number] => [
        index * stride - pad,
        Math.min(index * stride - pad + kernel, size + pad),
      ];
      const [[top, bottom], [left, right]] = [range(row), range(column)];
      const inside: number[] = [];
      for (let i = Math.max(top, 0); i < Math.min(bottom, size); i++) {
        for (let j = Math.max(left, 0); j < Math.min(right, size); j++) inside.push(x[i]?.[j] as number);
      }
      if (mode === "max") return Math.max(...inside);
      const count = countPadding ? (bottom - top) * (right - left) : inside.length;
      return inside.reduce((sum, value) => sum + value, 0) / count;
    }),
  );
}

function apply(block: Block, x: tf.Tensor4D): tf.Tensor {
  const input = tfl.input({ shape: x.shape.slice(1) });
  return tfl.model({ inputs: input, outputs: block(input, "pool") }).predict(x) as tf.Tensor;
}

describe.each(engines)("on %s", (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
  });

  it.each(cases)(
    "$mode of $kernel at stride $stride with $pad around $size (ceil $ceil, padding counted $countPadding) equals PyTorch's",
    (example) => {
      const { mode, size, kernel, stride, pad, ceil, countPadding } = example;
      // All below zero: a padding of zeros would win every maximum at the edge.
      const x = Array.from({ length: size }, (_, i) =>
        Array.from({ length: size }, (_, j) => -1 - ((i * 7 + j * 3) % 11)),
      );
      const padding = pad === 0 ? "valid" : pad;
      const block =
        mode === "max"
          ? maxPool(kernel, stride, { padding, ceil })
          : avgPool(kernel, stride, { padding, ceil, countPadding });
      const y = apply(block, tf.tensor4d(x.flat(), [1, size, size, 1]));
      const expected = reference(x, example);
      expect(y.shape).toEqual([1, expected.length, expected.length, 1]);
      expected.flat().forEach((value, i) => expect(y.dataSync()[i]).toBeCloseTo(value, 5));
    },
  );

  it("sends a maximum's gradient to where it was, also beside padding", () => {
    const input = tfl.input({ shape: [4, 4, 1] });
    const model = tfl.model({ inputs: input, outputs: maxPool(3, 2, { padding: 1 })(input, "pool") });
    const x = tf.tensor4d([-1, -5, -5, -2, -5, -5, -5, -5, -5, -5, -5, -5, -3, -5, -5, -4], [1, 4, 4, 1]);
    const dx = [
      ...tf
        .grad((x) => model.apply(x) as tf.Tensor)(x)
        .dataSync(),
    ];
    expect(dx).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1]);
  });

  it.each([
    [8, 4],
    [7, 3],
    [2, 7],
    [1, 6],
    [5, 5],
  ])("adaptive mean of %i pixels to %i equals PyTorch's", (size, parts) => {
    const x = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i * 5 + j * j) % 13));
    const y = apply(adaptiveAvgPool(parts), tf.tensor4d(x.flat(), [1, size, size, 1])).dataSync();
    const range = (i: number): [number, number] => [
      Math.floor((i * size) / parts),
      Math.ceil(((i + 1) * size) / parts),
    ];
    for (let row = 0; row < parts; row++) {
      for (let column = 0; column < parts; column++) {
        const rows = x.slice(...range(row)).map((line) => line.slice(...range(column)));
        const mean = rows.flat().reduce((sum, value) => sum + value, 0) / rows.flat().length;
        expect(y[row * parts + column]).toBeCloseTo(mean, 4);
      }
    }
  });

  it("global mean keeps its size where asked", () => {
    const x = tf.ones([2, 3, 3, 5]) as tf.Tensor4D;
    expect(apply(globalAvgPool(), x).shape).toEqual([2, 5]);
    expect(apply(globalAvgPool({ keepSize: true }), x).shape).toEqual([2, 1, 1, 5]);
  });
});

describe("a pool whose stride is undefined", () => {
  it.each([maxPool, avgPool])("steps by its size, as in Keras", (pool) => {
    const input = tfl.input({ shape: [9, 8, 1] });
    const output = pool([3, 2], undefined, { padding: "valid" })(input, "pool");
    expect(output.shape).toEqual([null, 3, 4, 1]);
  });
});
