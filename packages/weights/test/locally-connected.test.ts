import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { AxesBatchNormalization } from "../src/layers/axes-batch-norm.ts";
import { LocallyConnected2D } from "../src/layers/locally-connected.ts";

beforeAll(() => useEngine("wasm"));

const [rows, columns, channels, filters] = [5, 4, 2, 3];
const [size, strides] = [
  [4, 3],
  [2, 1],
] as const;

/** Keras' own words: output `(r, c)` sees the rows that begin half a window before `r * stride`, as far as there are any. */
function connections(): [output: [number, number], input: [number, number]][] {
  const found: [[number, number], [number, number]][] = [];
  for (let r = 0; r < Math.ceil(rows / strides[0]); r++)
    for (let c = 0; c < Math.ceil(columns / strides[1]); c++)
      for (let y = Math.max(0, r * strides[0] - 2); y < Math.min(rows, r * strides[0] + 2); y++)
        for (let x = Math.max(0, c * strides[1] - 1); x < Math.min(columns, c * strides[1] + 2); x++)
          found.push([
            [r, c],
            [y, x],
          ]);
  return found;
}

it.each([2, 3].flatMap((implementation) => ["channelsLast", "channelsFirst"].map((order) => [implementation, order])))(
  "connects as implementation %i of Keras 2 with padding same, %s",
  (implementation, order) => {
    const layer = new LocallyConnected2D({
      name: "local",
      filters,
      kernelSize: size,
      strides,
      padding: "same",
      implementation: implementation as number,
      dataFormat: order as string,
      useBias: false,
    });
    const x = tf.randomNormal([2, rows, columns, channels], 0, 1, "float32", 5) as tf.Tensor4D;
    layer.apply(x);
    const kernel = tf.randomNormal(layer.weights[0]!.shape as number[], 0, 1, "float32", 6);
    layer.weights[0]!.write(kernel);
    const numbers = kernel.dataSync();
    const [outRows, outColumns] = [Math.ceil(rows / strides[0]), Math.ceil(columns / strides[1])];
    const isFirst = order === "channelsFirst";
    const flat = (row: number, column: number, channel: number, sides: readonly number[]): number =>
      isFirst ? (channel * sides[0]! + row) * sides[1]! + column : (row * sides[1]! + column) * sides[2]! + channel;
    const [outSides, inSides] = [
      [outRows, outColumns, filters],
      [rows, columns, channels],
    ];
    const pairs = connections().flatMap(([[r, c], [y, x0]]) =>
      Array.from({ length: filters * channels }, (_, i) => {
        const [f, ch] = [Math.floor(i / channels), i % channels];
        return { out: flat(r, c, f, outSides), into: flat(y, x0, ch, inSides), at: [r, c, f], from: [y, x0, ch] };
      }),
    );
    // Implementation 3 keeps the numbers of the connections alone, sorted by output, then by input.
    pairs.sort((a, b) => a.out - b.out || a.into - b.into);
    const expected = tf.buffer([2, outRows, outColumns, filters]);
    const values = x.arraySync();
    for (const [index, { out, into, at, from }] of pairs.entries()) {
      const weight = numbers[implementation === 3 ? index : into * outRows * outColumns * filters + out]!;
      for (const sample of [0, 1]) {
        const place = [sample, ...at] as [number, number, number, number];
        expected.set(expected.get(...place) + weight * values[sample]![from[0]!]![from[1]!]![from[2]!]!, ...place);
      }
    }
    expect(layer.weights[0]!.shape).toHaveLength(implementation === 3 ? 1 : 6);
    const found = layer.apply(x) as tf.Tensor;
    expect(found.shape).toEqual([2, outRows, outColumns, filters]);
    const worst = tf.max(tf.abs(tf.sub(found, expected.toTensor()))).dataSync()[0];
    expect(worst).toBeLessThan(1e-5);
  },
);

it("refuses a padding that Keras refuses for implementation 1", () => {
  expect(() => new LocallyConnected2D({ name: "local", filters: 1, kernelSize: 3, padding: "same" })).toThrow(
    "local: expected the padding valid, or same with implementation 2 or 3, got same",
  );
});

it("normalizes each place of several axes, and moves their statistics by the momentum", () => {
  const layer = new AxesBatchNormalization({ name: "norm", axis: [1, 3], momentum: 0.75, epsilon: 0.01 });
  const data = Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) / 3);
  const x = tf.tensor4d(data, [2, 2, 3, 2]);
  const still = layer.apply(x) as tf.Tensor;
  expect(still.dataSync()[1]).toBeCloseTo(data[1]! / Math.sqrt(1.01), 5);
  expect(layer.weights.map(({ shape }) => shape)).toEqual(Array.from({ length: 4 }, () => [1, 2, 1, 2]));
  layer.weights[0]!.write(tf.tensor4d([1, 2, 3, 4], [1, 2, 1, 2]));
  const y = (layer.apply(x, { training: true }) as tf.Tensor).dataSync();
  for (const [row, channel] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const) {
    const places = [0, 1].flatMap((n) => [0, 1, 2].map((column) => ((n * 2 + row) * 3 + column) * 2 + channel));
    const mean = places.reduce((sum, at) => sum + data[at]!, 0) / 6;
    const variance = places.reduce((sum, at) => sum + (data[at]! - mean) ** 2, 0) / 6;
    const which = row * 2 + channel;
    for (const at of places)
      expect(y[at]).toBeCloseTo(((data[at]! - mean) / Math.sqrt(variance + 0.01)) * (which + 1), 4);
    expect(layer.weights[2]!.read().dataSync()[which]).toBeCloseTo(0.25 * mean, 5);
    expect(layer.weights[3]!.read().dataSync()[which]).toBeCloseTo(0.75 + 0.25 * variance, 5);
  }
});

it("leaves masked steps out of the statistics of several axes", () => {
  const layer = new AxesBatchNormalization({ name: "norm", axis: [1, 2], momentum: 0, epsilon: 0 });
  const input = tfl.input({ shape: [2, 1] });
  const masked = tfl.layers.masking({ maskValue: 9 }).apply(input);
  const model = tfl.model({ inputs: input, outputs: layer.apply(masked) as tfl.SymbolicTensor });
  // The second step of the second sequence is masked.
  const x = tf.tensor3d([1, 2, 2, 9, 6, 4], [3, 2, 1]);
  const y = (model.apply(x, { training: true }) as tf.Tensor).dataSync();
  expect([...layer.weights[2]!.read().dataSync()]).toEqual([3, 3]);
  expect(layer.weights[3]!.read().dataSync()[0]).toBeCloseTo(14 / 3, 5);
  expect(layer.weights[3]!.read().dataSync()[1]).toBeCloseTo(1, 5);
  expect([y[1], y[5]]).toEqual([-1, 1]);
});
