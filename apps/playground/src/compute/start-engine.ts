import { type PageEngineName, useEngine } from "@convkit/engine";
import type { EngineChoice, EngineReport } from "./compute.ts";

/** Starts an engine by name; `auto` is the fastest of this browser. The WebAssembly files lie beside the page. */
export async function startEngine(wanted: EngineChoice): Promise<EngineReport> {
  const notices: string[] = [];
  // The types are those of Node, where `auto` gives another engine.
  const { name, threads } = await useEngine(wanted as PageEngineName, {
    wasmPath: new URL("wasm", import.meta.url).href,
    onNotice: (line) => notices.push(line),
  });
  return { name, threads, notice: notices.join(" ") };
}
