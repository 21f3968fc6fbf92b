import { fileURLToPath } from "node:url";
import { peerPython, runPeer } from "@convkit/testing";
import { describe, expect, it } from "vitest";
import { fnv1a, images, labels, uniform, weight } from "../src/formula.ts";

describe("the formula", () => {
  it.each([
    ["", 0x811c9dc5],
    ["a", 0xe40c292c],
    ["foobar", 0xbf9cf968],
  ])("hashes %j as FNV-1a does", (text, hash) => {
    expect(fnv1a(text)).toBe(hash);
  });

  it("spreads evenly over its range", () => {
    const values = uniform("any", 100_000, -1, 3);
    expect(Math.min(...values.subarray(0, 1000))).toBeGreaterThanOrEqual(-1);
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(1, 1);
  });

  it("gives kernels the variance gain / fan-in", () => {
    const kernel = weight("conv", "kernel", [3, 3, 64, 32], 2);
    const variance = kernel.reduce((sum, value) => sum + value * value, 0) / kernel.length;
    expect(variance * 3 * 3 * 64).toBeCloseTo(2, 1);
  });

  it.skipIf(peerPython === undefined)("gives the same numbers in Python, to the last bit", () => {
    const folder = fileURLToPath(new URL("../python", import.meta.url));
    const source = `import sys, json; sys.path.insert(0, sys.argv[1]); import formula as f
print(json.dumps([[float(v) for v in a.flatten()] for a in (
  f.weight("a.b", "kernel", (3, 3, 2, 4), 2), f.weight("a", "depthwise_kernel", (3, 3, 4, 1), 1),
  f.weight("bn", "moving_variance", (5,), 1), f.images(3, (2, 3, 3, 1), 255), f.labels(1, 9, 10), f.labels(1, 9, 1))]))`;
    const theirs = JSON.parse(runPeer(source, [folder])) as number[][];
    const ours = [
      weight("a.b", "kernel", [3, 3, 2, 4], 2),
      weight("a", "depthwise_kernel", [3, 3, 4, 1], 1),
      weight("bn", "moving_variance", [5], 1),
      images(3, [2, 3, 3, 1], 255),
      labels(1, 9, 10),
      labels(1, 9, 1),
    ];
    expect(ours.map((values) => [...values])).toEqual(theirs);
  });
});
