import { checkOptions, checkValue, type OptionNames, shown, trueOrFalse } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";

import { cudaDevices } from "./machine/devices.ts";
import { EngineError } from "./engine-error.ts";
import { installEngine } from "./install/install.ts";
import type { InstallProgress } from "./install/progress.ts";
import { findLoadable, loadTensorflow, type Loadable } from "./tensorflow/load.ts";
import { letEventLoopTurn } from "./machine/event-loop.ts";
import { registerGradients } from "./machine/gradients.ts";
import { threadsOf } from "./machine/threads.ts";
import { findWasm } from "./wasm/node/find.ts";
import {
  type Engine,
  type EngineName,
  nodeEngineNames,
  type PageEngineName,
  pageEngineNames,
  type UseOptions,
} from "./engine.ts";
import { loadWasm, nodePlatform } from "./wasm/index.ts";
import { findAdapter, loadWebGpu, reasonAgainstWebGpu } from "./webgpu/load.ts";

/** The engines that there are here: those of Node, in a web page `pageEngineNames`. */
export const engineNames: readonly (EngineName | PageEngineName)[] = nodeEngineNames;

const optionNames: OptionNames<UseOptions> = { threads: true, onNotice: true, install: true, wasmPath: true };

const loading = new Map<EngineName, Promise<Engine>>();
let choosing: Promise<Engine> | undefined;

/**
 * The engines that `auto` can take here without installing anything, best first; looks at files only. `webgpu` is never among them: only
 * `useEngine` and `doctor` find out whether there is a GPU.
 */
export async function availableEngines(): Promise<(EngineName | PageEngineName)[]> {
  const names = nodeEngineNames.filter((name) => name !== "webgpu");
  const reasons = await Promise.all(names.map(reasonAgainst));
  return names.filter((_, index) => reasons[index] === undefined);
}

/** Why an engine cannot be used here; undefined if the engine can be used or already runs in this process. */
export async function reasonAgainst(name: EngineName): Promise<string | undefined> {
  if (loading.has(name)) return undefined;
  const found = await find(name);
  return "reason" in found ? found.reason : undefined;
}

/**
 * Loads an engine, registers its kernels and makes it tfjs' backend. `auto` takes the best engine that can be used
 * here, and says in one line why it could not take a faster one. Throws an EngineError with the reason if a named engine
 * cannot be used. A second call returns the engine that runs already.
 */
export async function useEngine(name?: EngineName | "auto", options?: UseOptions): Promise<Engine>;
/** The same in a web page, where the engines are tfjs' backends of pages; Node refuses them. */
export async function useEngine(name: PageEngineName, options?: UseOptions): Promise<Engine<PageEngineName>>;
export async function useEngine(
  name: EngineName | PageEngineName,
  options?: UseOptions,
): Promise<Engine<EngineName | PageEngineName>>;
export async function useEngine(
  name: EngineName | PageEngineName | "auto" = "auto",
  options: UseOptions = {},
): Promise<Engine<EngineName | PageEngineName>> {
  checkOptions("useEngine", options, optionNames, (message) => new EngineError(message));
  const { threads, install = false, onNotice = (line: string) => process.stderr.write(`${line}\n`) } = options;
  if (options.wasmPath !== undefined)
    throw new EngineError(
      "useEngine takes wasmPath in a web page only: in Node the WebAssembly files are found by themselves.",
    );
  if (!isNodeEngine(name)) {
    if (pageEngineNames.includes(name))
      throw new EngineError(`The ${name} engine runs in a web page: in Node take auto, ${nodeEngineNames.join(", ")}.`);
    const hint = typeof name === "object" ? '; options come second, useEngine("auto", { install: true })' : "";
    throw new EngineError(
      `There is no engine ${shown(name)}: the engines are auto, ${nodeEngineNames.join(", ")}${hint}.`,
    );
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new EngineError(`An engine takes 1 thread or more, not ${threads}.`);
  }
  checkValue("useEngine", "install", install, trueOrFalse, (message) => new EngineError(message));
  if (install) await installMissing(name, onNotice);
  const engine = await (name === "auto" ? loadBest(threads, onNotice) : load(name, threads, onNotice));
  if (threads !== undefined && threads !== engine.threads) {
    throw new EngineError(
      `The ${engine.name} engine runs in this process with ${engine.threads} threads already, so it cannot take ${threads}: give the number at the first use.`,
    );
  }
  if (tf.getBackend() !== engine.backend) await tf.setBackend(engine.backend);
  return engine;
}

function isNodeEngine(name: EngineName | PageEngineName | "auto"): name is EngineName | "auto" {
  return name === "auto" || (nodeEngineNames as readonly string[]).includes(name);
}

/** Installs what `name` needs; a machine that TensorFlow has no build for keeps what it has, and the notice says so. */
async function installMissing(name: EngineName | "auto", onNotice: (line: string) => void): Promise<void> {
  // `auto` takes the engine that this process runs already.
  if (name === "auto" && loading.size > 0) return;
  const wanted = name === "auto" ? (cudaDevices().length > 0 ? "gpu" : "native") : name;
  if (wanted === "wasm" || wanted === "webgpu" || (await reasonAgainst(wanted)) === undefined) return;
  try {
    let told = "";
    const onProgress = ({ message }: InstallProgress) => {
      // A download reports its bytes under the same message again and again.
      if (message !== told) onNotice(message);
      told = message;
    };
    await installEngine({ gpu: wanted === "gpu", onProgress });
  } catch (error) {
    if (name !== "auto" || !(error instanceof EngineError)) throw error;
    onNotice(error.message);
  }
}

async function load(name: EngineName, threads: number | undefined, onNotice: (line: string) => void): Promise<Engine> {
  const engine = loading.get(name) ?? start(name, threads, onNotice);
  loading.set(name, engine);
  try {
    return await engine;
  } catch (error) {
    if (loading.get(name) === engine) loading.delete(name);
    throw error;
  }
}

/** The engine that runs already, else the best that can be loaded; concurrent calls share one choice. */
function loadBest(threads: number | undefined, onNotice: (line: string) => void): Promise<Engine> {
  const running = nodeEngineNames.find((name) => loading.has(name));
  if (running) return load(running, threads, onNotice);
  choosing ??= startBest(threads, onNotice).finally(() => {
    choosing = undefined;
  });
  return choosing;
}

async function startBest(threads: number | undefined, onNotice: (line: string) => void): Promise<Engine> {
  const passedOver: string[] = [];
  for (const name of nodeEngineNames) {
    // Whether its GPU is real and its results are right is for the user to find out.
    if (name === "webgpu") continue;
    try {
      const engine = await load(name, threads, onNotice);
      if (passedOver.length > 0) onNotice(`Using the ${engine.name} engine. ${passedOver.join(" ")}`);
      return engine;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      // Without a GPU, nobody expects the gpu engine.
      if (name !== "gpu" || cudaDevices().length > 0) passedOver.push(error.message);
    }
  }
  throw new EngineError(passedOver.join(" "));
}

async function start(name: EngineName, threads: number | undefined, onNotice: (line: string) => void): Promise<Engine> {
  const found = await find(name);
  if ("reason" in found) throw new EngineError(`The ${name} engine cannot be used: ${found.reason}.`);
  if ("packages" in found) return startWebGpu(threads, onNotice);
  if (!("tfjsNode" in found)) {
    const { threads: running } = await loadWasm(nodePlatform, { threads });
    await registerGradients();
    letEventLoopTurn("wasm");
    return { name, backend: "wasm", threads: running, isGpu: false };
  }
  const other = name === "gpu" ? "native" : "gpu";
  if (loading.has(other)) {
    throw new EngineError(
      `The ${name} engine cannot be used: this process has loaded the ${other} engine, and holds one TensorFlow only.`,
    );
  }
  const { version, isGpu } = await loadTensorflow(found, { threads });
  letEventLoopTurn("tensorflow");
  const engine: Engine = { name, backend: "tensorflow", tensorflow: version, threads: threads ?? threadsOf(), isGpu };
  if (name === "gpu" && !isGpu) {
    // The CUDA build is loaded without a GPU; it can still compute on the CPU.
    loading.set("native", Promise.resolve({ ...engine, name: "native" }));
    throw new EngineError(
      'The gpu engine cannot be used: TensorFlow finds no CUDA device that it can use, though the driver shows one (compare "nvidia-smi" with CUDA 12).',
    );
  }
  return engine;
}

async function startWebGpu(threads: number | undefined, onNotice: (line: string) => void): Promise<Engine> {
  if (threads !== undefined)
    throw new EngineError("The webgpu engine computes on the GPU and takes no number of threads: leave threads out.");
  const adapter = await findAdapter();
  if ("reason" in adapter) throw new EngineError(`The webgpu engine cannot be used: ${adapter.reason}.`);
  await loadWebGpu();
  await registerGradients();
  if (adapter.isSoftware)
    onNotice(
      `The webgpu engine computes on ${adapter.name}, a program in place of a GPU, which is slow: is the driver of the GPU installed?`,
    );
  return { name: "webgpu", backend: "webgpu", threads: 1, adapter, isGpu: !adapter.isSoftware };
}

async function find(name: EngineName): Promise<Loadable | { wasm: string } | { packages: true } | { reason: string }> {
  if (name === "wasm") return findWasm();
  if (name === "webgpu") {
    const reason = reasonAgainstWebGpu();
    return reason === undefined ? { packages: true } : { reason };
  }
  if (name === "gpu" && cudaDevices().length === 0)
    return { reason: "no CUDA device is visible (neither /dev/nvidia0 nor /proc/driver/nvidia)" };
  return findLoadable(name);
}
