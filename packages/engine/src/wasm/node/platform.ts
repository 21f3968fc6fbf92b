import { availableParallelism } from "node:os";
import process from "node:process";

import type { WasmPlatform } from "../platform.ts";
import { startHelpers } from "./helper-threads.ts";
import { kernelsModule } from "./kernels-module.ts";
import { quietStart } from "./quiet-start.ts";

/** Node as the place of the wasm engine. */
export const nodePlatform: WasmPlatform = {
  name: `this Node (${process.version})`,
  advice: "update Node, or run `convkit engine install` for the native engine",
  parallelism: availableParallelism,
  // In Node tfjs finds its own files.
  prepare: async () => undefined,
  kernelsModule,
  quietStart,
  startHelpers,
};
