import { spawn, type ChildProcess } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A running program of `test/programs`. */
export interface Running {
  child: ChildProcess;
  /** What it printed so far. */
  output: () => string;
  /** Resolves as soon as the output matches. */
  until: (text: RegExp) => Promise<void>;
  ended: Promise<{ code: number | null; output: string; errors: string }>;
}

/** Starts a program of `test/programs` in its own process, on this Node or another. */
export function startProgram(
  name: string,
  { env = {}, node = process.execPath }: { env?: NodeJS.ProcessEnv; node?: string } = {},
): Running {
  const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  // Node 20 does not run TypeScript; newer ones do so themselves.
  const loader = node === process.execPath ? ["--import", "tsx"] : [];
  const child = spawn(node, [...loader, file], {
    env: { ...process.env, NODE_OPTIONS: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<{ code: number | null; output: string; errors: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, output, errors }));
  });
  const until = async (text: RegExp) => {
    const over = ended.then(() => true);
    while (!text.test(output)) {
      if (await Promise.race([over, new Promise<false>((resolve) => setTimeout(resolve, 10, false))])) {
        throw new Error(`${name} ended without ${String(text)}: ${output}${errors}`);
      }
    }
  };
  return { child, output: () => output, until, ended };
}
