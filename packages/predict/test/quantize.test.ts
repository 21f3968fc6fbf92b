import { readFileSync } from "node:fs";
import { platform } from "node:os";
import { installOpenvino } from "@convkit/engine/openvino";
import { decodeOnnx, type OnnxMessage } from "@convkit/weights/onnx";
import { beforeAll, describe, expect, test } from "vitest";
import { predictor, quantize } from "../src/index.ts";
import type { IntLayer } from "../src/quantize/layers.ts";
import { rangeOf, type Seen } from "../src/quantize/ranges.ts";

const golden = (name: string) => new URL(`golden/${name}`, import.meta.url);
const file = golden("quantize.onnx").pathname;
/** What onnxruntime.quantization makes of the file with the same images, and what that gives by ONNX's definitions. */
const peer = JSON.parse(readFileSync(golden("quantize.json"), "utf8")) as {
  readonly scales: Readonly<Record<string, readonly [scale: number, zero: number]>>;
  readonly weights: Readonly<Record<string, readonly [scales: readonly number[], sum: number]>>;
  readonly float32: readonly number[];
  readonly int8: readonly number[];
};

beforeAll(() => installOpenvino());

/** Images from -1 to 1, as the script makes them. */
function images(count: number, start: number) {
  const data = Float32Array.from({ length: count * 360 }, (_, place) => {
    const i = place + start * 360;
    return (((i * 131 + (i >> 5) * 17 + Math.floor(i / 360) * 29) % 256) / 255) * 2 - 1;
  });
  return { data, shape: [count, 3, 12, 10] };
}

const calibration = [images(16, 0)];
const tests = [images(64, 16)];

interface Node {
  readonly op_type: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
}

/** The scales and zero points of values, and the scales and sums of weights, by name. */
function scalesOf(bytes: Uint8Array) {
  const graph = decodeOnnx("ModelProto", bytes)["graph"] as { node: Node[]; initializer: OnnxMessage[] };
  const constants = new Map(graph.initializer.map((each) => [String(each["name"]), each]));
  const raw = (name: string) => new Uint8Array(constants.get(name)!["raw_data"] as Uint8Array);
  const floats = (name: string) => [...new Float32Array(raw(name).buffer)];
  const quantized = graph.node.filter(({ op_type: op }) => op === "QuantizeLinear");
  const values = quantized.map(({ input: [name, scale, zero] }) => [
    name!,
    [floats(scale!)[0], raw(zero!)[0]] as const,
  ]);
  const kernels = graph.node.filter(({ op_type: op, input: [name] }) => {
    return op === "DequantizeLinear" && constants.get(name!)?.["data_type"] === 3;
  });
  const weights = kernels.map(({ input: [name, scale] }) => {
    const whole = new Int8Array(raw(name!).buffer);
    return [floats(scale!), whole.reduce((sum, value) => sum + value, 0)] as const;
  });
  return { values: Object.fromEntries(values), weights };
}

describe.each(["openvino", "onnxruntime"] as const)("quantized by %s", (runtime) => {
  test("scales, zero points and weights are the peer's, and every runtime gives the peer's numbers", async () => {
    const { bytes, report } = await quantize(file, calibration, { runtime, test: tests, maxDrop: 1 });
    const { values, weights } = scalesOf(bytes);
    let compared = 0;
    for (const [name, [scale, zero]] of Object.entries(peer.scales)) {
      const own = values[name];
      // The peer makes integers of the last outputs, too.
      if (name.startsWith("scores")) continue;
      expect(own![0]! / scale, name).toBeCloseTo(1, 6);
      expect(own![1], name).toBe(zero);
      compared += 1;
    }
    expect(compared).toBe(9);
    for (const [place, [scales, sum]] of Object.values(peer.weights).entries()) {
      const [own, ownSum] = weights[place]!;
      expect(own.length).toBe(scales.length);
      own.forEach((scale, c) => expect(scale / scales[c]!).toBeCloseTo(1, 6));
      expect(ownSum).toBe(sum);
    }
    for (const other of ["openvino", "onnxruntime"] as const) {
      const forward = predictor(bytes, { runtime: other });
      const { data } = await forward.predict(tests[0]!);
      await forward.dispose();
      // Runtimes round sums at other places. The integers are 0.014 from the floats, and 0.048 where sums of two products are cut.
      expect(errorOf(data, peer.int8)).toBeLessThan(addsBytesExactly() ? 0.02 : 0.06);
      if (other !== runtime) continue;
      expect(report.error).toBeCloseTo(errorOf(data, peer.float32), 5);
      expect(report.agreement).toBeCloseTo(agreement([...(data as Float32Array)], peer.float32), 5);
    }
    expect(report.layers).toEqual(["c1", "c2", "c3", "c4", "scores"].map((name) => ({ name, isInt8: true })));
    expect(report.bytes.int8).toBe(bytes.byteLength);
    const counts = [calibration, tests].map((feeds) => feeds.reduce((sum, { shape }) => sum + shape[0]!, 0));
    expect([report.images.calibration, report.images.test]).toEqual(counts);
  });
});

/** Whether the processor adds products of bytes in 32 bits (VNNI); others of Intel's and AMD's cut sums of two at 16 bits. */
function addsBytesExactly(): boolean {
  return process.arch !== "x64" || (platform() === "linux" && /vnni/.test(readFileSync("/proc/cpuinfo", "utf8")));
}

function errorOf(found: ArrayLike<number>, expected: readonly number[]): number {
  const square = (values: readonly number[]) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(square(expected.map((value, i) => found[i]! - value)) / square(expected));
}

/** The share of rows of 5 scores with the same best one. */
function agreement(a: readonly number[], b: readonly number[]): number {
  const best = (values: readonly number[], row: number) => {
    const own = values.slice(5 * row, 5 * row + 5);
    return own.indexOf(Math.max(...own));
  };
  const rows = Array.from({ length: a.length / 5 }, (_, row) => row);
  return rows.filter((row) => best(a, row) === best(b, row)).length / rows.length;
}

test("layers that move the outputs most stay in float until the accuracy holds, as few as it takes", async () => {
  const { fewestFloats } = await import("../src/quantize/fewest-floats.ts");
  const layers = Array.from({ length: 20 }, (_, place) => ({ name: String(place) })) as unknown as IntLayer[];
  const tried: number[] = [];
  const judge = async (kept: readonly IntLayer[]) => {
    tried.push(20 - kept.length);
    return { layers: kept, drop: 20 - kept.length >= 6 ? 0.005 : 0.1 };
  };
  const best = await fewestFloats(layers, 0.01, judge, { layers, drop: 0.1 });
  expect(best.layers).toEqual(layers.slice(6));
  expect(tried).toEqual([1, 2, 4, 8, 6, 5]);
});

test("where the classes change too often, each layer's effect is measured and the worst stay in float", async () => {
  const { bytes, report } = await quantize(file, calibration, { test: tests, maxDrop: 0.05 });
  // All in int8, 8 of 64 images get another class.
  expect(report.agreement).toBeGreaterThanOrEqual(0.95);
  const inFloat = report.layers.filter(({ isInt8 }) => !isInt8);
  const inInt8 = report.layers.filter(({ isInt8 }) => isInt8);
  expect(inFloat.length).toBeGreaterThan(0);
  expect(inInt8.length).toBeGreaterThan(0);
  expect(Math.min(...inFloat.map(({ effect }) => effect!))).toBeGreaterThanOrEqual(
    Math.max(...inInt8.map(({ effect }) => effect!)),
  );
  const forward = predictor(bytes, { runtime: "openvino" });
  expect(errorOf((await forward.predict(tests[0]!)).data, peer.float32)).toBeCloseTo(report.error, 3);
  await forward.dispose();
});

/** Counts of 2,048 bins between two values. */
function seen(low: number, high: number, countOf: (value: number) => number): Seen {
  const width = (high - low) / 2048;
  return { low, high, counts: Float64Array.from({ length: 2048 }, (_, bin) => countOf(low + (bin + 0.5) * width)) };
}

describe("ranges", () => {
  test("percentile leaves out the outermost values on both sides", () => {
    // 2,048 bins of equal counts: 10 % are outside, 102.4 bins on each side.
    const [low, high] = rangeOf(
      seen(-1, 3, () => 5),
      "percentile",
      90,
    );
    expect(low).toBeCloseTo(-1 + (102 * 4) / 2048, 9);
    expect(high).toBeCloseTo(3 - (102 * 4) / 2048, 9);
    expect(
      rangeOf(
        seen(-1, 3, () => 5),
        "min-max",
        90,
      ),
    ).toEqual([-1, 3]);
  });

  test("entropy cuts a long thin tail, and keeps values that fill the range", () => {
    const bell = (value: number) => 1e6 * Math.exp(-(value ** 2) / 2) + (value > 39 ? 1 : 0);
    const [low, high] = rangeOf(seen(0, 40, bell), "entropy", 0);
    expect(low).toBe(0);
    // A bell of deviation 1 ends at about 4; the single values at 40 would take nine tenths of the steps.
    expect(high).toBeGreaterThan(2.5);
    expect(high).toBeLessThan(8);
    expect(
      rangeOf(
        seen(0, 2, () => 7),
        "entropy",
        0,
      )[1],
    ).toBeGreaterThan(1.9);
  });
});

test.each([
  ["a mistyped option", { calibraton: "min-max" }, 'Did you mean "calibration"?'],
  ["an unknown calibration", { calibration: "mse" }, "expected calibration to be min-max, percentile, entropy"],
  ["a layer that is not there", { floatLayers: ["c9"] }, 'expected floatLayers of c1, c2, c3, c4, scores, got "c9"'],
])("quantize refuses %s", async (_title, options, message) => {
  await expect(quantize(file, calibration, options as object)).rejects.toThrow(message);
});

test("a file that is quantized already is refused", async () => {
  const { bytes } = await quantize(file, calibration, { maxDrop: 1 });
  await expect(quantize(bytes, calibration)).rejects.toThrow("is quantized already");
  await expect(quantize(file, [])).rejects.toThrow("expected images, got none");
});
