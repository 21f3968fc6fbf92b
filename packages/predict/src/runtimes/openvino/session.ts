import { readFile, stat } from "node:fs/promises";
import type { Feed } from "@convkit/graph";

import { PredictError } from "../../predict-error.ts";
import { closableSession } from "../closable-session.ts";
import { requestPool } from "../native/request-pool.ts";
import type { Pointer } from "../native/tensors.ts";
import type { OnnxFile } from "../runtime.ts";
import type { Port, Session, SessionOptions } from "../session.ts";
import { created, openvino, type Openvino } from "./c-api.ts";
import { compileAnew, compileKept } from "./compiled-files.ts";
import type { FixedShape } from "./fixed-shape.ts";
import { portAt, type TypedPort } from "./ports.ts";
import { createRequest } from "./request.ts";

/** Opens an ONNX file in OpenVINO on the CPU. Throws a PredictError with OpenVINO's own reason. */
export async function openOpenvino(file: OnnxFile, { precision, threads, keeps }: SessionOptions): Promise<Session> {
  const library = await openvino();
  const { c } = library;
  if (precision === "bfloat16" && !capabilities(library).includes("BF16"))
    throw new PredictError("This CPU has no unit for bfloat16, so OpenVINO would compute in float32: ask for float32.");
  // A small network is compiled anew later, when its file may be another.
  const small = await smallBytesOf(file);
  const settings = {
    // Without it the plugin chooses bfloat16 by itself on machines that have it.
    INFERENCE_PRECISION_HINT: precision === "bfloat16" ? "bf16" : "f32",
    NUM_STREAMS: "1",
    // Pinned threads of two processes, or of two models, would share some cores and leave others idle.
    ENABLE_CPU_PINNING: "NO",
    ...(threads !== undefined && { INFERENCE_NUM_THREADS: String(threads) }),
  };
  // Small bytes are compiled sooner than the cache is looked through.
  const isKept = typeof file === "string" || (keeps === true && file.byteLength >= leastKept);
  const kept = isKept ? await compileKept(library, file, settings) : undefined;
  const compiled = kept?.compiled ?? (await compileAnew(library, file, settings));
  try {
    return { ...sessionOf(library, compiled, small, settings), fromCache: kept?.fromCache };
  } catch (error) {
    c.compiledFree(compiled);
    throw error;
  }
}

/** What the CPU computes fast: FP32, BF16, INT8 … */
function capabilities({ c, core }: Openvino): readonly string[] {
  const text = created<string>(c, "describe the CPU", (out) =>
    c.coreProperty(core, "CPU", "OPTIMIZATION_CAPABILITIES", out),
  );
  return text.split(/[ ,]+/);
}

function sessionOf(
  library: Openvino,
  compiled: Pointer,
  small: Uint8Array | undefined,
  settings: Readonly<Record<string, string>>,
): Session {
  const { c } = library;
  const inputCount = Number(created(c, "count the inputs", (out) => c.inputCount(compiled, out)));
  const outputCount = Number(created(c, "count the outputs", (out) => c.outputCount(compiled, out)));
  const ports = (get: typeof c.input, count: number) =>
    Array.from({ length: count }, (_, index) => portAt(library, get, compiled, index));
  const typed = { inputs: ports(c.input, inputCount), outputs: ports(c.output, outputCount) };
  const typesOf = (all: readonly TypedPort[]) => all.map(({ element }) => element);
  const types = { inputs: typesOf(typed.inputs), outputs: typesOf(typed.outputs) };
  const plain = (all: readonly TypedPort[]) =>
    all.map(({ element: _element, isFixed: _isFixed, ...port }): Port => port);
  const [inputs, outputs] = [plain(typed.inputs), plain(typed.outputs)];
  const isFixable = small !== undefined && inputs.length === 1 && inputs[0]!.shape.includes(null);
  const fixed = new Map<string, Promise<FixedShape | undefined>>();
  const calls = new Map<string, number>();
  /** Compiles a small network anew for a shape that is used often. */
  const countCall = ([feed]: readonly Feed[]): void => {
    const key = feed!.shape.join();
    const count = (calls.get(key) ?? 0) + 1;
    calls.set(key, count);
    if (count !== oftenCalls || fixed.size >= mostFixed) return;
    const own = { data: feed!.data.slice(), shape: [...feed!.shape] };
    const start = async (): Promise<FixedShape | undefined> => {
      const { compileFixed } = await import("./fixed-shape.ts");
      const made = await compileFixed(library, small!, settings, types, own);
      pool.keep(made.request);
      return made;
    };
    // Without it the network goes on as it is.
    fixed.set(
      key,
      start().catch(() => undefined),
    );
  };
  const pool = requestPool(
    (feeds) => createRequest(library, compiled, types, feeds),
    isFixable ? countCall : undefined,
  );
  const close = async (): Promise<void> => {
    const all = await Promise.all(fixed.values());
    pool.dispose();
    for (const each of all) each?.free();
    c.compiledFree(compiled);
  };
  return closableSession({ inputs, outputs }, pool, close);
}

/** The bytes of a file that is small enough to keep. */
async function smallBytesOf(file: OnnxFile): Promise<Uint8Array | undefined> {
  if (typeof file !== "string") return file.byteLength <= smallBytes ? file : undefined;
  return (await stat(file)).size <= smallBytes ? readFile(file) : undefined;
}

/** Bytes of a network from which on it is kept. */
const leastKept = 1e6;

/** Networks of at most so many bytes are compiled anew for a shape after so many quick calls, and for so many shapes. */
const [smallBytes, oftenCalls, mostFixed] = [4e6, 100, 4];
