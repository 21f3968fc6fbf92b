import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

import { EngineError } from "../engine-error.ts";
import { attach, heapOf, isShared } from "./attach.ts";
import { calibrate } from "./calibrate.ts";
import type { Helpers } from "./helpers.ts";
import type { WasmPlatform } from "./platform.ts";
import type { Runtime } from "./runtime/runtime.ts";

/** More threads than this gain nothing: memory bandwidth is the limit. */
const mostThreads = 8;

/** Options of `loadWasm`. */
export interface WasmOptions {
  /** Threads to compute with; without it, as many as measurably help here. */
  threads?: number | undefined;
}

/**
 * Makes WebAssembly tfjs' backend, able to train: registers the kernels that the stock backend lacks, gets wrong or
 * computes slowly, and starts helper threads. Throws an EngineError if WebAssembly lacks SIMD, or if it cannot start
 * the requested threads.
 */
export async function loadWasm(platform: WasmPlatform, { threads }: WasmOptions = {}): Promise<{ threads: number }> {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new EngineError(`The wasm engine computes with 1 thread or more, not ${threads}.`);
  }
  const { setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  await platform.prepare();
  if (!(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"))) {
    throw new EngineError(
      `The wasm engine needs WebAssembly SIMD, which ${platform.name} or its processor lacks: ${platform.advice}.`,
    );
  }
  const wanted = threads ?? Math.min(platform.parallelism(), mostThreads);
  const shared = wanted > 1 && typeof SharedArrayBuffer === "function";
  if (threads !== undefined && threads > 1 && !shared) {
    throw new EngineError(
      `The wasm engine cannot run ${threads} threads: ${platform.name} has no SharedArrayBuffer; ask for 1 thread.`,
    );
  }
  // Threads of tfjs' own kernels busy-wait and take cores from ours. Measured: they cost more time than they save.
  setThreadsCount(1);
  const prepare = async (backend: BackendWasm): Promise<Runtime> => {
    const memory = heapOf(backend);
    const module = await platform.kernelsModule(isShared(memory));
    const runtime = attach(module, backend);
    if (wanted > 1 && isShared(memory) && runtime.threads === 1) {
      const helpers: Helpers = { module, memory, control: runtime.control };
      await addThreads(
        () => platform.startHelpers(wanted - 1, helpers),
        wanted,
        threads !== undefined,
        runtime,
        backend,
      );
    }
    return runtime;
  };
  keepAcrossResets(platform, shared);
  if (!(await tf.setBackend("wasm"))) {
    throw new EngineError("The wasm engine did not start: tfjs could not load @tensorflow/tfjs-backend-wasm.");
  }
  const runtime = await prepare(tf.backend() as BackendWasm);
  prepareNext = prepare;
  return { threads: runtime.threads };
}

interface Registration {
  factory: () => BackendWasm | Promise<BackendWasm>;
}

const quiet = new WeakSet<Registration>();
/** Gives later backends their kernels and threads; undefined until the first backend has them. */
let prepareNext: ((backend: BackendWasm) => Promise<unknown>) | undefined;

/**
 * `tf.engine().reset()` throws the backend away, and `tf.setBackend` then makes another one. Each new backend starts
 * through `quietStart` of the platform like the first, and later backends get their kernels and threads at once.
 */
function keepAcrossResets(platform: WasmPlatform, shared: boolean): void {
  const { registryFactory } = tf.engine() as unknown as { registryFactory: Record<string, Registration> };
  const registration = registryFactory["wasm"]!;
  if (quiet.has(registration)) return;
  quiet.add(registration);
  const stock = registration.factory;
  registration.factory = async () => {
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", shared);
    const backend = await platform.quietStart(stock);
    await prepareNext?.(backend);
    return backend;
  };
}

async function addThreads(
  startHelpers: () => Promise<() => void>,
  wanted: number,
  asked: boolean,
  runtime: Runtime,
  backend: BackendWasm,
): Promise<void> {
  try {
    const stop = await startHelpers();
    const dispose = backend.dispose.bind(backend);
    backend.dispose = () => {
      stop();
      dispose();
    };
  } catch (error) {
    if (!asked) return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError(`The wasm engine cannot run ${wanted} threads: ${reason}; ask for 1 thread.`, {
      cause: error,
    });
  }
  calibrate(runtime, wanted, asked);
}
