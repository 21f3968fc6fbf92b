import { readFile, stat } from "node:fs/promises";

import { PredictError } from "../predict-error.ts";
import type { OnnxRuntimeName } from "./runtime-names.ts";
import type { Session, SessionOptions } from "./session.ts";

/** The version of a runtime that is installed; undefined if it is not. Looks at files only. */
export async function runtimeVersion(name: OnnxRuntimeName): Promise<string | undefined> {
  if (name === "onnxruntime") return (await import("./onnxruntime/find.ts")).findOnnxruntime()?.version;
  const { findOpenvino } = await import("@convkit/engine/openvino");
  return (await findOpenvino())?.version;
}

/** The path or the bytes of an ONNX file. */
export type OnnxFile = string | Uint8Array;

/**
 * Opens an ONNX file. A runtime reads a path itself, so that the file's bytes are not in JavaScript's memory, too. Throws a
 * PredictError where the runtime is missing, damaged, or cannot run the model.
 */
export async function openOnnx(name: OnnxRuntimeName, file: OnnxFile, options: SessionOptions): Promise<Session> {
  // The libraries take paths of another encoding on Windows.
  const given = typeof file === "string" && process.platform === "win32" ? await readFile(file) : file;
  const open = async (): Promise<Session> => {
    if (name === "openvino") return (await import("./openvino/session.ts")).openOpenvino(given, options);
    return (await import("./onnxruntime/session.ts")).openOnnxruntime(given, options);
  };
  const size = typeof given === "string" ? (await stat(given)).size : given.byteLength;
  if (size < largeBytes) return open();
  const { withLargeBlocksMapped } = await import("@convkit/engine/internal");
  return withLargeBlocksMapped(open);
}

/** Files from this size on have weights of which it matters where they lie in memory. */
const largeBytes = 4e6;

/** Throws for two different shapes of one output, else gives the largest difference relative to the largest value. */
export function relativeDifference(
  found: readonly { readonly data: Float32Array; readonly shape: readonly number[] }[],
  expected: readonly { readonly data: Float32Array; readonly shape: readonly number[] }[],
): number {
  let worst = 0;
  for (const [index, { data, shape }] of expected.entries()) {
    const other = found[index];
    if (other === undefined || String(other.shape) !== String(shape))
      throw new PredictError(
        `Expected an output of the shape ${shape.join("x")}, got ${other?.shape.join("x") ?? "none"}.`,
      );
    let [largest, difference] = [0, 0];
    for (let i = 0; i < data.length; i++) {
      const [a, b] = [other.data[i]!, data[i]!];
      if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
      if (Object.is(a, b)) continue;
      // A NaN or an infinity on one side alone is the largest difference.
      difference = Math.max(difference, Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) : Infinity);
    }
    worst = Math.max(worst, difference === 0 ? 0 : difference / Math.max(largest, 1e-30));
  }
  return worst;
}
