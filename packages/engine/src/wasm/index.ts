export { loadWasm, type WasmOptions } from "./load.ts";
export { nodePlatform } from "./node/platform.ts";
export { OutOfMemoryError } from "./runtime/out-of-memory.ts";
