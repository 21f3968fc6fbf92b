import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

import { EngineError } from "../engine-error.ts";
import { OutOfMemoryError } from "./runtime/out-of-memory.ts";
import { registerKernels } from "./register.ts";
import { Runtime } from "./runtime/runtime.ts";

/** Emscripten's module with the fields that tfjs' declarations leave out. */
interface EmscriptenModule {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  wasmMemory?: WebAssembly.Memory;
  asm: Record<string, unknown>;
}

/** The kernels' runtime in each backend's heap; undefined until the kernels are registered. */
let attached: WeakMap<BackendWasm, Runtime> | undefined;

/** The heap of tfjs' running wasm backend. */
export function heapOf(backend: BackendWasm): WebAssembly.Memory {
  const wasm = backend.wasm as unknown as EmscriptenModule;
  const memory = wasm.wasmMemory ?? Object.values(wasm.asm).find((value) => value instanceof WebAssembly.Memory);
  if (memory !== undefined) return memory;
  throw new EngineError("The wasm engine did not find tfjs' heap: @tensorflow/tfjs-backend-wasm 4.22 is needed.");
}

/** Whether threads can share that heap. */
export function isShared(memory: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer === "function" && memory.buffer instanceof SharedArrayBuffer;
}

/** Puts the compiled kernels to work in the heap of a wasm backend of tfjs. Needs nothing of Node. */
export function attach(module: WebAssembly.Module, backend: BackendWasm): Runtime {
  if (attached === undefined) registerKernels((backend) => ({ backend, runtime: attach(module, backend) }));
  attached ??= new WeakMap();
  const known = attached.get(backend);
  if (known) return known;
  const wasm = backend.wasm as unknown as EmscriptenModule;
  const memory = heapOf(backend);
  refuseOverflow(wasm, memory);
  const runtime = new Runtime(module, {
    memory,
    malloc: (bytes) => wasm._malloc(bytes),
    free: (pointer) => wasm._free(pointer),
  });
  attached.set(backend, runtime);
  return runtime;
}

/**
 * Makes allocation throw when memory is full. Emscripten returns address 0, or near 4 GB a block that ends past the
 * memory, and tfjs would write there.
 */
function refuseOverflow(wasm: EmscriptenModule, memory: WebAssembly.Memory): void {
  // Emscripten's stub replaces itself at the first call. Call it now, or it would overwrite our wrapper.
  wasm._free(wasm._malloc(1));
  const malloc = wasm._malloc.bind(wasm);
  wasm._malloc = (bytes) => {
    const pointer = malloc(bytes);
    if (bytes > 0 && (pointer === 0 || (pointer >>> 0) + bytes > memory.buffer.byteLength)) {
      throw new OutOfMemoryError(bytes);
    }
    return pointer;
  };
}
