import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { setFlagsFromString } from "node:v8";

import { hasFusedMultiplyAdd } from "../fused-multiply-add.ts";

/** A build of the kernels: with or without a shared heap, with or without fused multiply-adds. */
interface Variant {
  threads: boolean;
  relaxed: boolean;
}

/**
 * The compiled kernels, in the fastest build that this machine's WebAssembly can run. In the published package they
 * lie in the folder above. In a checkout they are assembled from `assembly/` on first use (seconds) and kept until
 * `assembly/` changes.
 */
export async function kernelsModule(threads: boolean): Promise<WebAssembly.Module> {
  const variant = { threads, relaxed: fusesMultiplyAdd() };
  const name = `kernels${threads ? "-threads" : ""}${variant.relaxed ? "-relaxed" : ""}.wasm`;
  const built = new URL(`../${name}`, import.meta.url);
  if (existsSync(built)) return WebAssembly.compile(await readFile(built));
  const assembler = new URL("../../../assembly/assemble.mjs", import.meta.url).href;
  const { assemble } = (await import(/* @vite-ignore */ assembler)) as {
    assemble(variant: Variant): Promise<Uint8Array<ArrayBuffer>>;
  };
  return WebAssembly.compile(await assemble(variant));
}

/**
 * Whether relaxed SIMD works: Node 22 has it, Node 20 only behind a V8 flag. It makes matrix products 1.4 times as
 * fast.
 */
function fusesMultiplyAdd(): boolean {
  if (process.versions.node.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");
  return hasFusedMultiplyAdd();
}
