export { loadWasm, type WasmOptions } from "./load.ts";
export { OutOfMemoryError } from "./runtime/out-of-memory.ts";
