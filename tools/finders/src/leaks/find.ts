/*
 * find.ts [CASE …] [--engine native|wasm] [--short] [--planted]: repeats work that must leave nothing behind, and prints what a
 * process holds more after each time, one JSON text a case. Ends with 1 if anything grew. With `--planted` the work leaks on
 * purpose, to show what is found. The process starts again with the flags below.
 */
import { spawnSync } from "node:child_process";

/**
 * V8 compiles a function, and takes memory to learn its types, once the function has run often. That comes and goes in the heap
 * for dozens of turns, the later the busier the machine is. With these flags V8 does so at a function's first call, or not at all.
 */
const flags = ["--expose-gc", "--no-opt", "--no-sparkplug", "--no-lazy-feedback-allocation", "--no-flush-bytecode"];

if (globalThis.gc !== undefined) await import("./repeat.ts");
else {
  const args = [...flags, ...process.execArgv, ...process.argv.slice(1)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
}
