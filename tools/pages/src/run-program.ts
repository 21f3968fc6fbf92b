import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Runs a program of a folder as if `convkit` had been installed there, and gives what it printed. Throws what it complained of. */
export function runProgram(folder: string, program: string): string {
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  symlinkSync(fileURLToPath(new URL("../../../packages/convkit", import.meta.url)), join(modules, "convkit"));
  const command = ["--import", import.meta.resolve("tsx"), program];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}
