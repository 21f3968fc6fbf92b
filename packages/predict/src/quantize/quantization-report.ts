import type { OnnxRuntimeName } from "../runtimes/runtime-names.ts";
import type { Calibration } from "./ranges.ts";

/** A layer of a quantized network. */
export interface QuantizedLayer {
  readonly name: string;
  readonly isInt8: boolean;
  /** How far it alone moves the outputs, relative to them (root mean square); missing where it was not measured. */
  readonly effect?: number | undefined;
}

/** What became of a network. */
export interface QuantizationReport {
  readonly runtime: OnnxRuntimeName;
  readonly calibration: Calibration;
  /** How many images the scales come from, and how many the accuracy. */
  readonly images: { readonly calibration: number; readonly test: number };
  readonly layers: readonly QuantizedLayer[];
  /** The share of the labels that each file finds; missing without labels. */
  readonly accuracy?: { readonly float32: number; readonly int8: number } | undefined;
  /** The share of images for which both files name the same class; missing where the output names none. */
  readonly agreement?: number | undefined;
  /** The root mean square of the outputs' differences, relative to the float32 outputs'. */
  readonly error: number;
  /** Milliseconds of one image: the fastest of some calls. */
  readonly ms: { readonly float32: number; readonly int8: number };
  readonly bytes: { readonly float32: number; readonly int8: number };
}

/** An int8 network: an ONNX file and how it compares with the float32 network. */
export interface Quantized {
  readonly bytes: Uint8Array;
  readonly report: QuantizationReport;
}
