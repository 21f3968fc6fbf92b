import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll } from "vitest";

interface Program {
  readonly child: ChildProcess;
  /** What it printed, once it has ended. */
  readonly ended: Promise<{ code: number | null; signal: string | null; output: string }>;
}

/** Makes a program of `test/programs` one file of JavaScript, which starts ten times as fast; it goes when the test file is over. */
export async function bundleProgram(name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "convkit-program-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, `${name}.mjs`);
  const entry = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm" });
  return outfile;
}

/** Starts a bundled program in a process of its own. */
export function startProgram(file: string, args: readonly string[]): Program {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  const ended = new Promise<{ code: number | null; signal: string | null; output: string }>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, output }));
  });
  return { child, ended };
}
