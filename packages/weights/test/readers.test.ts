import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openWeights } from "../src/index.ts";

// The files were written by tools/golden/weights-files.py; tensor k of a file is arange(size) / 4 - k.
const golden = (name: string): string => fileURLToPath(new URL(`golden/${name}`, import.meta.url));
const filled = (shape: readonly number[], k: number): number[] =>
  Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i * 0.25 - k);

const kerasShapes: readonly (readonly [string, string, readonly number[]])[] = [
  ["conv", "kernel", [3, 3, 2, 3]],
  ["conv", "bias", [3]],
  ["bn", "gamma", [3]],
  ["bn", "beta", [3]],
  ["bn", "moving_mean", [3]],
  ["bn", "moving_variance", [3]],
  ["sep", "depthwise_kernel", [3, 3, 3, 1]],
  ["sep", "pointwise_kernel", [1, 1, 3, 4]],
  ["top", "kernel", [4, 2]],
  ["top", "bias", [2]],
];

describe.each([
  ["keras3.h5", "keras-h5", true],
  ["keras3.keras", "keras", true],
  ["keras3.weights.h5", "keras-weights-h5", false],
] as const)("%s", (name, format, hasConfig) => {
  it("gives every tensor of every layer in Keras' order", async () => {
    const file = await openWeights(golden(name));
    expect(file.format).toBe(format);
    expect(file.config !== undefined).toBe(hasConfig);
    const expected = kerasShapes.map(([layer, weight, shape], k) => [
      layer,
      shape,
      weight === "moving_variance" ? filled(shape, k).map(Math.abs) : filled(shape, k),
    ]);
    const order = kerasShapes.map(([layer]) => layer);
    const came = file.layers!.flatMap(({ layer, tensors }) =>
      tensors.map((tensor) => [layer, tensor.shape, [...tensor.read()]]),
    );
    came.sort((a, b) => order.indexOf(a[0] as string) - order.indexOf(b[0] as string));
    file.close();
    expect(came).toEqual(expected);
  });
});

describe.each([
  [
    "keras2-weights.h5",
    [
      ["block1_conv1/block1_conv1_W_1", "float32", [3, 3, 2, 4], filled([72], 0)],
      ["block1_conv1/block1_conv1_b_1", "float32", [4], filled([4], 1)],
      ["fc1/kernel", "float32", [4, 2], filled([8], 2)],
      ["fc1/bias", "float64", [2], filled([2], 3)],
    ],
  ],
  [
    "latest.h5",
    [
      ["a/kernel", "float32", [4, 3], filled([12], 0)],
      ["a/half", "float16", [5], filled([5], 1)],
    ],
  ],
  ["array.npy", [["array", "float32", [2, 3], filled([6], 0)]]],
  ...["state.pth", "state-legacy.pth", "state.safetensors"].map(
    (name) =>
      [
        name,
        [
          ["conv.weight", "float32", [3, 2, 3, 3], filled([54], 0)],
          ["bn.num_batches_tracked", "int64", [], [7]],
          ["half", "float16", [5], filled([5], 2)],
          ["brain", "bfloat16", [5], filled([5], 3)],
          [
            "turned",
            "float32",
            [4, 3],
            Array.from({ length: 12 }, (_, i) => ((i % 3) * 4 + Math.floor(i / 3)) * 0.25 - 4),
          ],
        ],
      ] as const,
  ),
] as const)("%s", (name, expected) => {
  it("gives names, types, shapes and values", async () => {
    const file = await openWeights(golden(name));
    const came = file.tensors.map((tensor) => [tensor.name, tensor.dtype, tensor.shape, [...tensor.read()]]);
    file.close();
    const byName = (a: readonly unknown[], b: readonly unknown[]): number => String(a[0]).localeCompare(String(b[0]));
    expect(came.toSorted(byName)).toEqual(expected.map((row) => [...row]).toSorted(byName));
  });
});
