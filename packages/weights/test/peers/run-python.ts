import { runPeer } from "@convkit/testing";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Runs one of the Python files beside this one with the peers' Python. */
export function runPython(name: string, ...args: string[]): string {
  return runPeer(readFileSync(fileURLToPath(new URL(name, import.meta.url)), "utf8"), args);
}
