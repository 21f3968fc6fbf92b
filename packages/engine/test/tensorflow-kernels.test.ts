import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, test } from "vitest";

import { useEngine } from "@convkit/engine";

const image = (channels: number, batch = 2) =>
  tf.randomUniform<tf.Rank.R4>([batch, 7, 5, channels], 0, 1, "float32", 1);
const matrices: [string, number[]][] = [
  ["identity", [1, 0, 0, 0, 1, 0, 0, 0]],
  ["shift", [1, 0, 1.5, 0, 1, -2.25, 0, 0]],
  ["shear and scale", [1.17, 0.31, -0.53, -0.23, 0.83, 0.71, 0, 0]],
];
const rotations: [number, number | [number, number, number], number | [number, number], number][] = [
  [0, 0, 0.5, 1],
  [0.4, 0, 0.5, 3],
  [-1.1, 0.25, [0.3, 0.6], 2],
  [Math.PI / 3, [0.1, 0.2, 0.3], 0.5, 3],
  [0.7, [0.1, 0.2, 0.3], [0.25, 0.5], 4],
];

describe("kernels that tfjs-node lacks, against tfjs' cpu backend", () => {
  beforeAll(() => useEngine("native"));

  for (const interpolation of ["nearest", "bilinear"] as const) {
    for (const mode of ["constant", "reflect", "wrap", "nearest"] as const) {
      test.each(matrices)(`Transform: %s, ${interpolation}, ${mode}`, async (_name, matrix) => {
        await agree(() => tf.image.transform(image(3, 1), tf.tensor2d([matrix]), interpolation, mode, 0.5, [6, 8]));
      });
    }
  }

  // tfjs' cpu backend leaves the second image empty, so the reference is one image at a time.
  test("Transform: each image of a batch by its own matrix", () => {
    const [, first, second] = matrices.map(([, matrix]) => tf.tensor2d([matrix])) as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor2D,
    ];
    const images = image(3, 2);
    const [one, two] = tf.split(images, 2) as [tf.Tensor4D, tf.Tensor4D];
    const together = tf.image.transform(images, tf.concat([first, second]), "bilinear");
    const apart = tf.concat([tf.image.transform(one, first, "bilinear"), tf.image.transform(two, second, "bilinear")]);
    expect([...together.dataSync()]).toEqual([...apart.dataSync()]);
  });

  test("Round leaves integers as they are, and rounds halves to even", async () => {
    await agree(() => tf.round(tf.tensor1d([-12_345_678, 3, -2, 0], "int32")));
    await agree(() => tf.round(tf.tensor1d([-2.5, -1.5, 0.5, 1.5, 2.4])));
  });

  test.each(rotations)(
    "RotateWithOffset: %d radians, fill %j, centre %j, %d channels",
    async (radians, fill, centre, channels) => {
      await agree(() => tf.image.rotateWithOffset(image(channels), radians, fill, centre));
    },
  );
});

/** Runs on both backends and leaves no tensor behind. */
async function agree(run: () => tf.Tensor): Promise<void> {
  const results: Float32Array[] = [];
  for (const backend of ["cpu", "tensorflow"]) {
    await tf.setBackend(backend);
    const before = tf.memory().numTensors;
    const result = tf.tidy(run);
    expect(tf.memory().numTensors).toBe(before + 1);
    results.push((await result.data()) as Float32Array);
    result.dispose();
  }
  const [expected, found] = results as [Float32Array, Float32Array];
  expect(found).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) expect(found[index]).toBeCloseTo(value, 5);
}
