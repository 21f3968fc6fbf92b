import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { runCli } from "../src/program.ts";

const bin = fileURLToPath(new URL("../bin/convkit.js", import.meta.url));

/** What a command said, and its exit status. */
export interface Said {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export async function call(...args: string[]): Promise<Said> {
  const said = { out: "", err: "" };
  const hear = (name: "out" | "err") => (text: unknown) => {
    said[name] += String(text);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(hear("out")),
    vi.spyOn(process.stderr, "write").mockImplementation(hear("err")),
  ];
  try {
    return { status: await runCli(args), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Runs the real command in a process of its own; `meanwhile` may look at it and signal it. */
export function spawned(
  args: readonly string[],
  options: { readonly cwd?: string; readonly meanwhile?: (child: ChildProcess, err: string) => void } = {},
): Promise<Said> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [bin, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.cwd && { cwd: options.cwd }),
    });
    const said = { out: "", err: "" };
    child.stdout.on("data", (text) => (said.out += String(text)));
    child.stderr.on("data", (text) => {
      said.err += String(text);
      options.meanwhile?.(child, said.err);
    });
    child.on("error", fail);
    child.on("close", (status) => done({ status, ...said }));
  });
}
