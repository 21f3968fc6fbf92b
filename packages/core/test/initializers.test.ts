import "@tensorflow/tfjs-backend-cpu";
import {
  chain,
  conv,
  glorotUniform,
  heNormal,
  heNormalFanOut,
  randomNormal,
  truncatedNormal,
  withSeed,
  withoutDrawing,
} from "@convkit/core";
import type { Block, Init } from "@convkit/core";
import { drawValues } from "@convkit/core/internal";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";

const shape = [3, 3, 64, 128];
const [fanIn, fanOut] = [9 * 64, 9 * 128];

function moments(values: Float32Array): { mean: number; deviation: number; largest: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return { mean, deviation, largest: values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) };
}

describe("initial values", () => {
  it.each<[string, Init, { deviation: number; largest: number }]>([
    [
      "glorotUniform",
      glorotUniform,
      { deviation: Math.sqrt(2 / (fanIn + fanOut)), largest: Math.sqrt(6 / (fanIn + fanOut)) },
    ],
    ["heNormal", heNormal, { deviation: Math.sqrt(2 / fanIn), largest: (2 * Math.sqrt(2 / fanIn)) / 0.8796 }],
    ["heNormalFanOut", heNormalFanOut, { deviation: Math.sqrt(2 / fanOut), largest: 7 * Math.sqrt(2 / fanOut) }],
    ["randomNormal", randomNormal(), { deviation: 0.05, largest: 0.35 }],
    ["truncatedNormal", truncatedNormal(), { deviation: 0.05 * 0.8796, largest: 0.1 }],
  ])("%s have the distribution's mean, deviation and bounds", (_, init, expected) => {
    const { mean, deviation, largest } = moments(drawValues(init, shape, 7));
    expect(Math.abs(mean)).toBeLessThan(0.02 * expected.deviation);
    expect(Math.abs(deviation / expected.deviation - 1)).toBeLessThan(0.01);
    expect(largest).toBeLessThanOrEqual(expected.largest * 1.0001);
  });

  it("have the normal distribution's quartiles and tails", () => {
    const values = drawValues(randomNormal(1), [1000, 1000], 3).toSorted();
    for (const [quantile, expected] of [
      [0.25, -0.6745],
      [0.75, 0.6745],
      [0.975, 1.96],
      [0.001, -3.0902],
    ] as const) {
      expect(values[Math.floor(quantile * values.length)]).toBeCloseTo(expected, quantile === 0.001 ? 1 : 2);
    }
  });
});

describe("a network's weights", () => {
  const kernel = (block: Block, seed: number): Float32Array =>
    withSeed(seed, () => {
      const x = tfl.input({ shape: [4, 4, 2] });
      const model = tfl.model({ inputs: x, outputs: block(x, "") });
      return model.weights[0]?.read().dataSync() as Float32Array;
    });
  const one = conv(4, 3, { padding: "same" });

  it("follow from the seed and the path, not from what was made before", () => {
    const first = kernel(chain({ a: one }), 1);
    expect(kernel(chain({ a: one }), 1)).toEqual(first);
    expect(kernel(chain({ a: one }), 2)).not.toEqual(first);
    expect(kernel(chain({ b: one }), 1)).not.toEqual(first);
  });

  it("are zeros where a file's will follow", () => {
    expect(withoutDrawing(() => kernel(chain({ a: one }), 1)).every((value) => value === 0)).toBe(true);
    expect(kernel(chain({ a: one }), 1).some((value) => value !== 0)).toBe(true);
  });

  it("are described in saved files as tfjs knows them", () => {
    const x = tfl.input({ shape: [4, 4, 2] });
    const layer = tfl.model({ inputs: x, outputs: one(x, "c") }).layers[1] as tfl.layers.Layer;
    expect(layer.getConfig()["kernelInitializer"]).toMatchObject({
      className: "VarianceScaling",
      config: { scale: 1, mode: "fanAvg", distribution: "uniform" },
    });
  });
});
