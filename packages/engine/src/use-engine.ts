import * as tf from "@tensorflow/tfjs-core";

import { cudaDevices } from "./devices.ts";
import { EngineError } from "./engine-error.ts";
import { findLoadable, loadTensorflow, type Loadable } from "./load-tensorflow.ts";
import { threadsOf } from "./threads.ts";
import { findWasm } from "./find-wasm.ts";
import { loadWasm } from "./wasm/index.ts";

/** The engines, best first. */
export const engineNames = ["gpu", "native", "wasm"] as const;

/** Which TensorFlow runs: CUDA, the CPU, or WebAssembly. */
export type EngineName = (typeof engineNames)[number];

/** An engine in use. */
export interface Engine {
  name: EngineName;
  /** tfjs' name of the backend. */
  backend: "tensorflow" | "wasm";
  /** TensorFlow's version, on the TensorFlow engines. */
  tensorflow?: string;
  threads: number;
  isGpu: boolean;
}

/** How to use an engine. */
export interface UseOptions {
  threads?: number;
  /** Hears, in one line, what `auto` passed over. */
  onNotice?: (line: string) => void;
}

const loading = new Map<EngineName, Promise<Engine>>();

/** The engines that can be used here without installing anything, best first; looks at files only. */
export async function availableEngines(): Promise<EngineName[]> {
  const reasons = await Promise.all(engineNames.map(reasonAgainst));
  return engineNames.filter((_, index) => reasons[index] === undefined);
}

/** Why an engine cannot be used here, or undefined if it can. */
export async function reasonAgainst(name: EngineName): Promise<string | undefined> {
  const found = await find(name);
  return "reason" in found ? found.reason : undefined;
}

/**
 * Loads an engine, registers its kernels and makes it tfjs' backend. `auto` takes the best that is there; a named engine is
 * used or refused with an EngineError that gives the reason. Asked again, it gives the engine that runs already.
 */
export async function useEngine(
  name: EngineName | "auto" = "auto",
  { threads, onNotice = () => {} }: UseOptions = {},
): Promise<Engine> {
  if (name !== "auto" && !engineNames.includes(name)) {
    throw new EngineError(`There is no engine "${String(name)}": the engines are auto, ${engineNames.join(", ")}.`);
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new EngineError(`An engine takes 1 thread or more, not ${threads}.`);
  }
  const chosen = name === "auto" ? await choose(onNotice) : name;
  const load = loading.get(chosen) ?? start(chosen, threads);
  loading.set(chosen, load);
  const engine = await load.catch((error: unknown) => {
    loading.delete(chosen);
    throw error;
  });
  if (threads !== undefined && threads !== engine.threads) {
    throw new EngineError(
      `The ${chosen} engine runs in this process with ${engine.threads} threads already, so it cannot take ${threads}: give the number at the first use.`,
    );
  }
  if (tf.getBackend() !== engine.backend) await tf.setBackend(engine.backend);
  return engine;
}

/** What runs already, else the best that is there. */
async function choose(onNotice: (line: string) => void): Promise<EngineName> {
  const running = engineNames.find((name) => loading.has(name));
  if (running) return running;
  const [best] = await availableEngines();
  if (best === undefined) throw new EngineError(`No engine can be used here: ${await reasonAgainst("wasm")}.`);
  if (best === "wasm")
    onNotice(`Using the wasm engine; the native one is faster, but ${await reasonAgainst("native")}.`);
  return best;
}

async function start(name: EngineName, threads: number | undefined): Promise<Engine> {
  const other = name === "gpu" ? "native" : "gpu";
  if (name !== "wasm" && loading.has(other)) {
    throw new EngineError(
      `The ${name} engine cannot be used: this process has loaded the ${other} engine, and holds one TensorFlow only.`,
    );
  }
  const found = await find(name);
  if ("reason" in found) throw new EngineError(`The ${name} engine cannot be used: ${found.reason}.`);
  if (!("tfjsNode" in found)) {
    const { threads: running } = await loadWasm({ threads });
    return { name, backend: "wasm", threads: running, isGpu: false };
  }
  const { version, isGpu } = await loadTensorflow(found, { threads });
  if (name === "gpu" && !isGpu)
    throw new EngineError(
      "The gpu engine cannot be used: TensorFlow was loaded but finds no CUDA device (see the driver's version).",
    );
  return { name, backend: "tensorflow", tensorflow: version, threads: threads ?? threadsOf(), isGpu };
}

async function find(name: EngineName): Promise<Loadable | { wasm: string } | { reason: string }> {
  if (name === "wasm") return findWasm();
  if (name === "gpu" && cudaDevices().length === 0)
    return { reason: "no CUDA device is visible (neither /dev/nvidia0 nor /proc/driver/nvidia)" };
  return findLoadable(name);
}
