import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ConvkitError } from "@convkit/errors";
import type { Reply } from "../drivers/protocol.ts";
import type { SystemName } from "../cases/systems.ts";
import { systems } from "../cases/systems.ts";

/** A system could not answer a request; its row shows the message. */
export class DriverError extends ConvkitError {
  override readonly name = "DriverError";
  readonly code = "CONVKIT_BENCH_DRIVER";
}

/** How to start a system's process. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export function driverCommand(system: SystemName, python: string | undefined): Command | undefined {
  if (systems[system].driver === "node") {
    return {
      file: process.execPath,
      args: [fileURLToPath(new URL("../../bin/convkit-bench.js", import.meta.url)), "serve"],
    };
  }
  return python === undefined
    ? undefined
    : { file: python, args: [fileURLToPath(new URL("../../python/serve.py", import.meta.url))] };
}

interface DriverSettings {
  readonly environment?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** A system in a process of its own. Requests and answers are JSON lines over its standard input and output. */
export class Driver {
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly closed: Promise<string>;
  private errors = "";
  private readonly started = performance.now();

  private readonly signal: AbortSignal | undefined;
  private readonly abort = (): void => this.kill();

  /** An aborted signal ends the process. */
  constructor({ file, args }: Command, { environment = {}, signal }: DriverSettings = {}) {
    // A process group of its own: workers end with the process, and their CPU time counts as its time.
    this.process = spawn(file, args, { stdio: "pipe", detached: true, env: { ...process.env, ...environment } });
    this.process.stdin!.on("error", () => {}); // A process that is gone says so by its exit.
    this.process.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.errors = (this.errors + text).slice(-4000);
    });
    this.closed = new Promise((resolve) => {
      this.process.on("error", (error) => resolve(`it could not be started: ${error.message}`));
      this.process.on("close", (code, signal) => {
        const last = this.errors.trim().split("\n").at(-1);
        resolve(`its process ended with ${signal ?? `status ${code}`}${last ? `: ${last}` : ""}`);
      });
    });
    this.lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
    this.signal = signal;
    signal?.addEventListener("abort", this.abort);
    if (signal?.aborted) this.kill();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Sends a request and waits for its answer. Throws a DriverError for a refusal, a crash, or after `seconds`. */
  async ask(request: object, seconds: number): Promise<Reply> {
    this.process.stdin!.write(`${JSON.stringify(request)}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), seconds * 1000)));
    const line = await Promise.race([this.lines.next(), late]).finally(() => clearTimeout(timer));
    if (line === undefined) {
      this.kill();
      throw new DriverError(`it gave no answer in ${seconds} s`);
    }
    if (line.done) throw new DriverError(await this.closed);
    const { ok, error, ...reply } = parseReply(line.value);
    if (!ok) throw new DriverError(error ?? "it refused without a reason");
    return { ...reply, seconds: (performance.now() - this.started) / 1000 };
  }

  /** Waits for the process to end, or kills it. */
  async close(): Promise<void> {
    this.signal?.removeEventListener("abort", this.abort);
    this.process.stdin!.end();
    const timer = setTimeout(() => this.kill(), 5000);
    await this.closed;
    clearTimeout(timer);
    this.kill();
  }

  /** Kills the process and its children. */
  kill(): void {
    if (this.pid === undefined) return;
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // The process has ended already.
    }
  }
}

function parseReply(line: string): Reply & { readonly ok: boolean; readonly error?: string } {
  try {
    return JSON.parse(line);
  } catch {
    throw new DriverError(`it answered ${JSON.stringify(line.slice(0, 80))} where a line of JSON was expected`);
  }
}
