import type { Preprocessing } from "@convkit/core/plain";
import { checkOptions, OptionError, shown, type OptionNames } from "@convkit/errors";

import { onnxRuntimes, type OnnxRuntimeName } from "../runtimes/runtime-names.ts";
import type { QuantizationData } from "./judge.ts";
import { calibrations, type Calibration } from "./ranges.ts";

/** Options of `quantize`. */
export interface QuantizeOptions {
  /**
   * How the range of an activation is found: between the smallest and the largest value (`min-max`, the default), without the
   * outermost values (`percentile`), or by the least loss of information (`entropy`).
   */
  readonly calibration?: Calibration | undefined;
  /** Percent of the values that `percentile` keeps; 99.999 by default, as in ONNX Runtime. */
  readonly percentile?: number | undefined;
  /** Images of the calibration at most; 256 by default. */
  readonly images?: number | undefined;
  /** Labeled images to compare the accuracy on, before and after; by default those of the calibration. */
  readonly test?: QuantizationData | undefined;
  /** Images of the test at most; all by default. */
  readonly testImages?: number | undefined;
  /**
   * How far the accuracy may fall, from 0 to 1; 0.01 by default. Where it falls further, the layers that change the outputs most stay
   * in float32, as few as it takes.
   */
  readonly maxDrop?: number | undefined;
  /** Names of layers that stay in float32 in any case; none by default. */
  readonly floatLayers?: readonly string[] | undefined;
  /** Preprocessing of pixels from 0 to 255; by default as the model's metadata says. */
  readonly preprocessing?: Preprocessing | undefined;
  /** What runs the network for the calibration and the test; OpenVINO by default, else ONNX Runtime. */
  readonly runtime?: OnnxRuntimeName | undefined;
  /** Threads of one run; by default as many as the runtime takes. */
  readonly threads?: number | undefined;
}

const optionNames: OptionNames<QuantizeOptions> = {
  calibration: true,
  percentile: true,
  images: true,
  test: true,
  testImages: true,
  maxDrop: true,
  floatLayers: true,
  preprocessing: true,
  runtime: true,
  threads: true,
};

/** Throws an `OptionError` for options that make no sense. */
export function checkQuantizeOptions(data: unknown, options: QuantizeOptions): void {
  checkOptions("quantize", options, optionNames);
  const { calibration, percentile, images, test, testImages, maxDrop, floatLayers, runtime, threads } = options;
  const expect = (holds: boolean, what: string, value: unknown): void => {
    if (!holds) throw new OptionError(`quantize: expected ${what}, got ${shown(value)}.`);
  };
  const isData = (value: unknown): boolean =>
    Array.isArray(value) || typeof (value as { batches?: unknown } | undefined)?.batches === "function";
  expect(isData(data), "a data set, or a list of batches { data, shape }", data);
  expect(test === undefined || isData(test), "test to be a data set, or a list of batches { data, shape }", test);
  expect(
    calibration === undefined || calibrations.includes(calibration),
    `calibration to be ${calibrations.join(", ")}`,
    calibration,
  );
  const isPercent = percentile === undefined || (percentile > 50 && percentile <= 100);
  expect(isPercent, "percentile to be a number from 50 to 100", percentile);
  for (const [name, value] of Object.entries({ images, testImages, threads }))
    expect(
      value === undefined || (Number.isInteger(value) && value >= 1),
      `${name} to be a whole number from 1`,
      value,
    );
  expect(maxDrop === undefined || (maxDrop >= 0 && maxDrop <= 1), "maxDrop to be a number from 0 to 1", maxDrop);
  const areNames = Array.isArray(floatLayers) && floatLayers.every((name) => typeof name === "string");
  expect(floatLayers === undefined || areNames, "floatLayers to be a list of names", floatLayers);
  expect(
    runtime === undefined || onnxRuntimes.includes(runtime),
    `runtime to be ${onnxRuntimes.join(" or ")}`,
    runtime,
  );
}
