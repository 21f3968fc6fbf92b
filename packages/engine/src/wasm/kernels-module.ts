import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** Which build of the kernels: on a heap that threads share, or not. */
export interface Variant {
  threads: boolean;
}

/**
 * The compiled kernels. In the published package they lie beside this file; in a checkout they are assembled from
 * `assembly/` on first use (seconds) and kept until that changes.
 */
export async function kernelsModule(variant: Variant): Promise<WebAssembly.Module> {
  const built = new URL(variant.threads ? "./kernels-threads.wasm" : "./kernels.wasm", import.meta.url);
  if (existsSync(built)) return WebAssembly.compile(await readFile(built));
  const assembler = new URL("../../assembly/assemble.mjs", import.meta.url).href;
  const { assemble } = (await import(/* @vite-ignore */ assembler)) as {
    assemble(variant: Variant): Promise<Uint8Array<ArrayBuffer>>;
  };
  return WebAssembly.compile(await assemble(variant));
}
