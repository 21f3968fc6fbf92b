// The kernels of the WebAssembly engine, for a page in a browser.
export * from "@convkit/engine/wasm";
