import { spawn } from "node:child_process";

/** The result of a child process. */
export interface ChildResult {
  /** The exit code; undefined if the program was not found. */
  code: number | null | undefined;
  output: string;
}

/** Options of `runChild`. */
export interface ChildOptions {
  signal?: AbortSignal | undefined;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Called with the whole output so far, each time it grows. */
  onOutput?: (output: string) => void;
}

/** Runs a program to its end and returns its output; `signal` kills it and rejects with the signal's reason. */
export function runChild(
  program: string,
  args: readonly string[],
  { signal, env, cwd, onOutput }: ChildOptions = {},
): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...(env && { env }), ...(cwd && { cwd }) });
    let output = "";
    const keep = (chunk: Buffer) => {
      output += chunk.toString();
      onOutput?.(output);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const kill = () => child.kill("SIGTERM");
    signal?.addEventListener("abort", kill, { once: true });
    if (signal?.aborted) kill();
    child.once("error", (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener("abort", kill);
      if (error.code === "ENOENT" || error.code === "EACCES") resolve({ code: undefined, output });
      else reject(error);
    });
    child.once("close", (code) => {
      signal?.removeEventListener("abort", kill);
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code, output });
    });
  });
}
