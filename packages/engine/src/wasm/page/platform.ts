import { EngineError } from "../../engine-error.ts";
import { hasFusedMultiplyAdd } from "../fused-multiply-add.ts";
import type { Helpers } from "../helpers.ts";
import type { WasmPlatform } from "../platform.ts";
import { withoutWorkers } from "../without-workers.ts";

/** The addresses of the WebAssembly files, written out in the form in which bundlers find and copy them. */
const addresses: Readonly<Record<string, string>> = {
  "kernels.wasm": new URL("../kernels.wasm", import.meta.url).href,
  "kernels-relaxed.wasm": new URL("../kernels-relaxed.wasm", import.meta.url).href,
  "kernels-threads.wasm": new URL("../kernels-threads.wasm", import.meta.url).href,
  "kernels-threads-relaxed.wasm": new URL("../kernels-threads-relaxed.wasm", import.meta.url).href,
  "tfjs-backend-wasm.wasm": new URL("../tfjs-backend-wasm.wasm", import.meta.url).href,
  "tfjs-backend-wasm-simd.wasm": new URL("../tfjs-backend-wasm-simd.wasm", import.meta.url).href,
  "tfjs-backend-wasm-threaded-simd.wasm": new URL("../tfjs-backend-wasm-threaded-simd.wasm", import.meta.url).href,
};

const tfjsFiles = [
  "tfjs-backend-wasm.wasm",
  "tfjs-backend-wasm-simd.wasm",
  "tfjs-backend-wasm-threaded-simd.wasm",
] as const;

/** Source of a helper thread. A page cannot give a worker the address of a file that no bundler knows. */
const threadSource = `
self.onmessage = async ({ data: { module, memory, control, thread } }) => {
  const { serve } = (await WebAssembly.instantiate(module, { env: { memory } })).exports;
  self.postMessage("ready");
  serve(control, thread);
};`;

/** How long a helper thread may take to start, in milliseconds. */
const startLimit = 10_000;

/** A web page as the place of the wasm engine; `wasmPath` is the folder of the WebAssembly files where no bundler copies them. */
export function pagePlatform(wasmPath: string | undefined): WasmPlatform {
  const addressOf = (file: string): string =>
    wasmPath === undefined ? addresses[file]! : `${wasmPath}${wasmPath.endsWith("/") ? "" : "/"}${file}`;
  return {
    name: "this browser",
    advice: "update the browser",
    // A page that is not cross-origin isolated has no memory that threads could share.
    parallelism: () => (globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1),
    async prepare() {
      const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
      // tfjs writes to the console where a file of its own is missing, and does not say which.
      await fetched(addressOf("tfjs-backend-wasm-simd.wasm"), "HEAD");
      setWasmPaths(Object.fromEntries(tfjsFiles.map((file) => [file, addressOf(file)])));
    },
    kernelsModule: (threads) =>
      compiled(addressOf(`kernels${threads ? "-threads" : ""}${hasFusedMultiplyAdd() ? "-relaxed" : ""}.wasm`)),
    quietStart: withoutWorkers,
    startHelpers: startPageHelpers,
  };
}

const way = "serve convkit's WebAssembly files and give their folder as `wasmPath`";

async function fetched(address: string, method: "GET" | "HEAD"): Promise<Response> {
  const response = await fetch(address, { method }).catch((error: unknown) => {
    throw new EngineError(`The wasm engine cannot fetch ${address}: ${way}.`, { cause: error });
  });
  if (!response.ok)
    throw new EngineError(`The wasm engine cannot fetch ${address} (status ${response.status}): ${way}.`);
  return response;
}

async function compiled(address: string): Promise<WebAssembly.Module> {
  const response = await fetched(address, "GET");
  try {
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw new EngineError(`The wasm engine found no WebAssembly at ${address}: ${way}.`, { cause: error });
  }
}

async function startPageHelpers(count: number, { module, memory, control }: Helpers): Promise<() => void> {
  const address = URL.createObjectURL(new Blob([threadSource], { type: "text/javascript" }));
  const workers = Array.from({ length: count }, () => new Worker(address));
  const stop = (): void => workers.forEach((worker) => worker.terminate());
  try {
    await Promise.all(
      workers.map(
        (worker, index) =>
          new Promise<void>((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error("a helper thread did not start")), startLimit);
            worker.addEventListener("message", () => {
              clearTimeout(timer);
              resolve();
            });
            worker.addEventListener("error", (event) => {
              clearTimeout(timer);
              reject(new Error(event.message || "the page's content security policy allows no worker from a blob"));
            });
            worker.postMessage({ module, memory, control, thread: index + 1 });
          }),
      ),
    );
  } catch (error) {
    stop();
    throw error;
  } finally {
    URL.revokeObjectURL(address);
  }
  return stop;
}
