import { availableParallelism } from "node:os";

import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

import { EngineError } from "../engine-error.ts";
import { calibrate } from "./calibrate.ts";
import { startHelpers } from "./helpers.ts";
import { kernelsModule } from "./kernels-module.ts";
import { OutOfMemoryError } from "./out-of-memory.ts";
import { quietStart } from "./quiet-start.ts";
import { registerKernels } from "./register.ts";
import { Runtime } from "./runtime.ts";

/** More threads than this stop paying: the memory is the limit. */
const mostThreads = 8;

/** How to load the wasm engine. */
export interface WasmOptions {
  /** Threads to compute with; without it, as many as measurably help here. */
  threads?: number | undefined;
}

/** Emscripten's module as it really is: the declarations of tfjs leave out its memory. */
interface EmscriptenModule {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  wasmMemory?: WebAssembly.Memory;
  asm: Record<string, unknown>;
}

/**
 * Makes WebAssembly tfjs' backend, able to train: registers the kernels that the stock backend lacks, gets wrong or computes
 * slowly, and starts the threads that help. Throws an EngineError where WebAssembly lacks SIMD, or cannot have the threads
 * that were asked for.
 */
export async function loadWasm({ threads }: WasmOptions = {}): Promise<{ threads: number }> {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new EngineError(`The wasm engine computes with 1 thread or more, not ${threads}.`);
  }
  const { setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  if (!(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"))) {
    throw new EngineError(
      `The wasm engine needs WebAssembly SIMD, which this Node (${process.version}) or its processor lacks: update Node, or run \`convkit engine install\` for the native engine.`,
    );
  }
  const wanted = threads ?? Math.min(availableParallelism(), mostThreads);
  const shared = wanted > 1 && typeof SharedArrayBuffer === "function";
  if (threads !== undefined && threads > 1 && !shared) {
    throw new EngineError(
      `The wasm engine cannot run ${threads} threads: this Node (${process.version}) has no SharedArrayBuffer; ask for 1 thread.`,
    );
  }
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", shared);
  // Threads of tfjs' own kernels spin while they wait and take the cores from ours: measured, they cost more than they give.
  setThreadsCount(1);
  await quietStart(async () => {
    if (!(await tf.setBackend("wasm"))) {
      throw new EngineError("The wasm engine did not start: tfjs could not load @tensorflow/tfjs-backend-wasm.");
    }
  });
  const backend = tf.backend() as BackendWasm;
  const wasm = backend.wasm as unknown as EmscriptenModule;
  refuseOverflow(wasm);
  const memory = wasm.wasmMemory ?? Object.values(wasm.asm).find((value) => value instanceof WebAssembly.Memory);
  if (memory === undefined) {
    throw new EngineError("The wasm engine did not find tfjs' heap: @tensorflow/tfjs-backend-wasm 4.22 is needed.");
  }
  const module = await kernelsModule({ threads: shared });
  const runtime = new Runtime(module, {
    memory,
    malloc: (bytes) => wasm._malloc(bytes),
    free: (pointer) => wasm._free(pointer),
  });
  if (shared) await addThreads(runtime, wanted, threads !== undefined, { module, memory, control: runtime.control });
  registerKernels({ backend, runtime });
  return { threads: runtime.threads };
}

async function addThreads(
  runtime: Runtime,
  wanted: number,
  asked: boolean,
  place: { module: WebAssembly.Module; memory: WebAssembly.Memory; control: number },
): Promise<void> {
  try {
    await startHelpers(wanted - 1, place);
  } catch (error) {
    if (!asked) return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError(`The wasm engine cannot run ${wanted} threads: ${reason}; ask for 1 thread.`, {
      cause: error,
    });
  }
  calibrate(runtime, wanted, asked);
}

/** Full memory gives address 0 in Emscripten, where tfjs would go on to write. */
function refuseOverflow(wasm: EmscriptenModule): void {
  const malloc = wasm._malloc.bind(wasm);
  wasm._malloc = (bytes) => {
    const pointer = malloc(bytes);
    if (pointer === 0 && bytes > 0) throw new OutOfMemoryError(bytes);
    return pointer;
  };
}
