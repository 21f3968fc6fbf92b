import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { runCli } from "../src/program.ts";

/** The command's sources as one bundle, which starts faster than `bin/convkit.js` with tsx does. */
const bundle = process.env["CONVKIT_TEST_COMMAND"]!;
const bin = fileURLToPath(new URL("../bin/convkit.js", import.meta.url));

/** What a command said, and its exit status. */
export interface Said {
  readonly status: number | null;
  /** What ended a process of its own, where it did not end by itself. */
  readonly signal?: NodeJS.Signals | null;
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

/** A signal that a process gets at a place of its work. */
export interface Strike {
  readonly signal: NodeJS.Signals;
  /** Right before a file with a path like this appears under its name … */
  readonly path: RegExp;
  /** … for the so manieth time, the first unless given … */
  readonly nth?: number;
  /** … or so many looks at the clock after that. */
  readonly looks?: number;
}

/** How a command is run in a process of its own, and what happens to it meanwhile. */
export interface SpawnOptions {
  readonly cwd?: string;
  /** Environment variables besides this process' own; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A program with its arguments that runs the command. */
  readonly within?: readonly string[];
  /** Looks at what was said so far on standard error and standard output, after each part, and may signal the process. */
  readonly meanwhile?: (child: ChildProcess, err: string, out: string) => void;
  readonly strike?: Strike;
  /** True for `bin/convkit.js` itself, whose first lines the bundle lacks. */
  readonly isWhole?: boolean;
}

/** Runs the command in a process of its own. */
export function spawned(
  args: readonly string[],
  { cwd, env, within = [], meanwhile, strike, isWhole = false }: SpawnOptions = {},
): Promise<Said> {
  const preload = new URL("strike.mjs", import.meta.url).href;
  const { signal, path, nth = 1, looks = 0 } = strike ?? {};
  return new Promise((done, fail) => {
    const told = strike && { STRIKE: JSON.stringify({ signal, path: path?.source, nth, looks }) };
    const whole = [
      ...within,
      process.execPath,
      ...(strike ? ["--import", preload] : []),
      isWhole ? bin : bundle,
      ...args,
    ];
    const child = spawn(whole[0]!, whole.slice(1), {
      stdio: ["ignore", "pipe", "pipe"],
      ...(cwd && { cwd }),
      env: { ...process.env, ...told, ...env },
    });
    const said = { out: "", err: "" };
    child.stdout.on("data", (text) => {
      said.out += String(text);
      meanwhile?.(child, said.err, said.out);
    });
    child.stderr.on("data", (text) => {
      said.err += String(text);
      meanwhile?.(child, said.err, said.out);
    });
    child.on("error", fail);
    child.on("close", (status, signal) => done({ status, signal, ...said }));
  });
}
