import { checkOptions, type OptionNames, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";

import { EngineError } from "../engine-error.ts";
import { nodeEngineNames, type Engine, type PageEngineName, pageEngineNames, type UseOptions } from "../engine.ts";
import { loadWasm } from "../wasm/load.ts";
import { pagePlatform } from "../wasm/page/platform.ts";
import { guardWebGpu } from "../webgpu/guard.ts";

const optionNames: OptionNames<UseOptions> = { threads: true, onNotice: true, install: true, wasmPath: true };

/** The engines that run or start, by name: two calls at once share one start. */
const running = new Map<PageEngineName, Promise<Engine<PageEngineName>>>();

/** The engines that can be used in this page, best first; `webgpu` and `webgl` need their tfjs backend imported. */
export async function availableEngines(): Promise<PageEngineName[]> {
  const reasons = await Promise.all(pageEngineNames.map(reasonAgainst));
  return pageEngineNames.filter((_, index) => reasons[index] === undefined);
}

/**
 * Starts an engine of the page and makes it tfjs' backend. `auto` takes the best one that can be used, and says in one line why not a
 * faster one. Throws EngineError with the reason where a named engine cannot be used.
 */
export async function useEngine(name: string = "auto", options: UseOptions = {}): Promise<Engine<PageEngineName>> {
  checkOptions("useEngine", options, optionNames, (message) => new EngineError(message));
  const { threads, install, onNotice = (line: string) => console.warn(line), wasmPath } = options;
  if (name !== "auto" && !isPageEngine(name)) {
    if (nodeEngineNames.includes(name as "gpu"))
      throw new EngineError(`The ${name} engine needs Node: in a web page take auto, ${pageEngineNames.join(", ")}.`);
    throw new EngineError(
      `There is no engine ${shown(name)}: the engines of a web page are auto, ${pageEngineNames.join(", ")}.`,
    );
  }
  if (install !== undefined) throw new EngineError("useEngine takes install in Node only: leave it out in a web page.");
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    throw new EngineError(`An engine takes 1 thread or more, not ${threads}.`);
  const start = (engine: PageEngineName) => started(engine, { threads, onNotice, wasmPath });
  return name === "auto" ? startBest(start, onNotice) : start(name);
}

function isPageEngine(name: string): name is PageEngineName {
  return (pageEngineNames as readonly string[]).includes(name);
}

async function startBest(
  start: (engine: PageEngineName) => Promise<Engine<PageEngineName>>,
  onNotice: (line: string) => void,
): Promise<Engine<PageEngineName>> {
  const passedOver: string[] = [];
  for (const name of pageEngineNames) {
    try {
      const engine = await start(name);
      if (passedOver.length > 0) onNotice(`Using the ${name} engine. ${passedOver.join(" ")}`);
      return engine;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      passedOver.push(error.message);
    }
  }
  throw new EngineError(passedOver.join(" "));
}

interface StartOptions extends Pick<UseOptions, "threads" | "wasmPath"> {
  readonly onNotice: (line: string) => void;
}

async function started(
  name: PageEngineName,
  { threads, onNotice, wasmPath }: StartOptions,
): Promise<Engine<PageEngineName>> {
  const starting = running.get(name) ?? startEngine(name, { threads, onNotice, wasmPath });
  running.set(name, starting);
  const engine = await starting.catch((error: unknown) => {
    // What is missing may be there at the next call.
    if (running.get(name) === starting) running.delete(name);
    throw error;
  });
  if (threads !== undefined && threads !== engine.threads)
    throw new EngineError(
      name === "wasm"
        ? `The wasm engine runs in this page with ${engine.threads} threads already, so it cannot take ${threads}: give the number at the first use.`
        : `The ${name} engine computes on the GPU and takes no number of threads: leave threads out.`,
    );
  if (tf.getBackend() !== name && !(await tf.setBackend(name)))
    throw new EngineError(`The ${name} engine did not start: tfjs could not make its backend.`);
  return engine;
}

async function startEngine(
  name: PageEngineName,
  { threads, onNotice, wasmPath }: StartOptions,
): Promise<Engine<PageEngineName>> {
  const reason = await reasonAgainst(name);
  if (reason !== undefined) throw new EngineError(`The ${name} engine cannot be used: ${reason}.`);
  if (name === "wasm") {
    const { threads: running } = await loadWasm(pagePlatform(wasmPath), { threads });
    return { name, backend: name, threads: running, isGpu: false };
  }
  if (!(await tf.setBackend(name)))
    throw new EngineError(`The ${name} engine did not start: tfjs could not make its backend.`);
  await tf.ready();
  if (name === "webgpu") guardWebGpu();
  if (name === "webgl" && !tf.env().getBool("WEBGL_RENDER_FLOAT32_ENABLED"))
    onNotice(
      "This GPU computes with 16-bit numbers in WebGL: results have about three digits, and training may not converge.",
    );
  return { name, backend: name, threads: 1, isGpu: true };
}

/** Why an engine cannot be used in this page; undefined where it can. */
async function reasonAgainst(name: PageEngineName): Promise<string | undefined> {
  if (name === "wasm") return typeof WebAssembly === "object" ? undefined : "this browser has no WebAssembly";
  const reason = name === "webgpu" ? await reasonAgainstWebGpu() : reasonAgainstWebGl();
  if (reason !== undefined) return reason;
  if (tf.findBackendFactory(name) === null)
    return `its backend is not in this page; install @tensorflow/tfjs-backend-${name} and import "@tensorflow/tfjs-backend-${name}" before`;
  return undefined;
}

interface Gpu {
  requestAdapter(): Promise<object | null>;
}

async function reasonAgainstWebGpu(): Promise<string | undefined> {
  const { gpu } = navigator as unknown as { gpu?: Gpu };
  if (gpu === undefined) return "this browser has no WebGPU, or the page comes over plain HTTP";
  return (await gpu.requestAdapter()) === null ? "WebGPU finds no GPU" : undefined;
}

function reasonAgainstWebGl(): string | undefined {
  const canvas = typeof OffscreenCanvas === "function" ? new OffscreenCanvas(1, 1) : document.createElement("canvas");
  const context = canvas.getContext("webgl2") as { getExtension(name: string): { loseContext(): void } | null } | null;
  if (context === null) return "this browser gives no WebGL 2 context";
  // A page has few contexts.
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return undefined;
}
