import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cpuSeconds } from "../hostile/memory.ts";

const bin =
  process.env["CONVKIT_TEST_COMMAND"] ?? fileURLToPath(new URL("../../../../apps/cli/bin/convkit.js", import.meta.url));
/** Seconds after which a command is long enough to be struck. */
const longest = 15;

function begun(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<number | null> } {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  return { child, ended: new Promise((resolve) => child.on("close", resolve)) };
}

const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The seconds that a command takes, at most `longest`. */
export async function timed(args: readonly string[]): Promise<number> {
  const { child, ended } = begun(args);
  const start = performance.now();
  child.stderr!.resume();
  await Promise.race([ended, wait(longest)]);
  child.kill("SIGKILL");
  await ended;
  return (performance.now() - start) / 1000;
}

export interface Struck {
  readonly status: number | null;
  readonly err: string;
  /** Seconds from the last signal to the end, by the clock. */
  readonly wall: number;
  /** Seconds that the processor worked for the process meanwhile. */
  readonly cpu: number;
  /** True where the command had ended before the signal. */
  readonly isEnded: boolean;
}

/** Sends a command a signal so many seconds after its start, and perhaps a second one 0.1 s later. */
export async function struck(
  args: readonly string[],
  { signal, after, isTwice }: { readonly signal: NodeJS.Signals; readonly after: number; readonly isTwice: boolean },
): Promise<Struck> {
  const { child, ended } = begun(args);
  let err = "";
  child.stderr!.on("data", (text) => (err = `${err}${String(text)}`.slice(-500)));
  await Promise.race([ended, wait(after)]);
  const isEnded = child.exitCode !== null;
  child.kill(signal);
  if (isTwice) await Promise.race([ended, wait(0.1)]);
  if (isTwice) child.kill(signal);
  const [start, before] = [performance.now(), cpuSeconds(child.pid!)];
  let cpu = before;
  const watch = setInterval(() => (cpu = Math.max(cpu, cpuSeconds(child.pid!))), 20);
  const late = setTimeout(() => child.kill("SIGKILL"), 120_000);
  const status = await ended;
  clearInterval(watch);
  clearTimeout(late);
  return { status, err, wall: (performance.now() - start) / 1000, cpu: cpu - before, isEnded };
}
