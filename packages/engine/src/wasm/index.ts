export { loadWasm, type WasmOptions } from "./load.ts";
export { OutOfMemoryError } from "./out-of-memory.ts";
