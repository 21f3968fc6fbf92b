import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type AddressInfo, type Server } from "node:net";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { createInterface } from "node:readline";
import type { Context } from "../terminal/context.ts";
import { printable } from "../terminal/printable.ts";
import { type ReplicaMessage, replicaVariable } from "./replica-messages.ts";

/** How a process of several ended. */
export interface ReplicaEnd {
  readonly name: string;
  /** `done`, `failed` by itself, `lost` to a signal, `alone` since it lost another, or `port in use`. */
  readonly kind: "done" | "failed" | "lost" | "alone" | "port in use";
  /** The signal, or the exit status in words. */
  readonly how: string;
  readonly status: number | null;
}

export interface StartOptions {
  readonly args: readonly string[];
  /** One address for each process, the chief's first. */
  readonly addresses: readonly string[];
  /** Seconds that a worker waits for the others. */
  readonly timeout: number;
}

/** Seconds that the others have to end by themselves after one ended badly; beyond the time-out if they may still wait for it. */
const GRACE = 10;

/** Addresses of this machine with ports that are free now. */
export async function freeAddresses(count: number): Promise<string[]> {
  const opened = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Server>((resolve, reject) => {
          const server = createServer().on("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const addresses = opened.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  await Promise.all(opened.map((server) => new Promise((resolve) => server.close(resolve))));
  return addresses;
}

/**
 * Runs the processes to their ends. The chief writes to this process' own output; each line of another one gets its name. A signal to this
 * process goes on to all of them, once.
 */
export async function startReplicas(context: Context, options: StartOptions): Promise<readonly ReplicaEnd[]> {
  const { addresses, timeout } = options;
  const [chief, ...workers] = addresses;
  const cluster = { chief: [chief], worker: workers };
  const names = addresses.map((_, rank) => (rank === 0 ? "chief" : `worker ${rank - 1}`));
  const replicas = names.map((name, rank) => {
    const task = rank === 0 ? { type: "chief", index: 0 } : { type: "worker", index: rank - 1 };
    return new Replica(context, { name, isChief: rank === 0, args: options.args, seat: { cluster, task } });
  });
  const places = replicas.map(({ name, pid }, rank) => `${name} at ${addresses[rank]} (process ${pid})`);
  context.out.note(`${replicas.length} workers: ${places.join(", ")}`);
  const forward = (signal: NodeJS.Signals) => {
    for (const replica of replicas) replica.kill(signal);
  };
  process.on("SIGINT", forward).on("SIGTERM", forward);
  let timer: NodeJS.Timeout | undefined;
  const endRest = (seconds: number, why: "stands still" | "is in the way") => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const replica of replicas) replica.end(why);
    }, seconds * 1000);
  };
  try {
    const ends = await Promise.all(
      replicas.map(async (replica) => {
        const end = await replica.ended;
        if (end.kind === "failed" || end.kind === "port in use") endRest(GRACE, "is in the way");
        else if (end.kind === "alone") endRest(GRACE, "stands still");
        else if (end.kind === "lost" && !context.signal.aborted) endRest(timeout + GRACE, "stands still");
        return end;
      }),
    );
    for (const replica of replicas.filter(({ name }) => tellers(ends).includes(name))) replica.tellFailure();
    return ends;
  } finally {
    clearTimeout(timer);
    process.off("SIGINT", forward).off("SIGTERM", forward);
  }
}

/** Whose sentences on a failure are shown: nobody's where the chief told its own, else those of the processes at fault, else everybody's. */
function tellers(ends: readonly ReplicaEnd[]): readonly string[] {
  const chief = ends[0]!.kind;
  const atFault = ends.filter(({ kind }) => kind === "failed" || kind === "port in use");
  if (atFault.length > 0) return chief === "failed" ? [] : atFault.map(({ name }) => name);
  return chief === "alone" ? [] : ends.map(({ name }) => name);
}

interface ReplicaStart {
  readonly name: string;
  readonly isChief: boolean;
  readonly args: readonly string[];
  readonly seat: object;
}

/** One process of several. */
class Replica {
  readonly name: string;
  readonly ended: Promise<ReplicaEnd>;
  readonly #context: Context;
  readonly #child: ChildProcess;
  /** Sentences on its failure, which are told only if the chief tells none. */
  readonly #failures: string[] = [];
  #message: ReplicaMessage | undefined;
  #isInTheWay = false;

  constructor(context: Context, { name, isChief, args, seat }: ReplicaStart) {
    this.name = name;
    this.#context = context;
    // In a process group of its own, so that Ctrl-C reaches it through this process alone.
    this.#child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
      detached: true,
      stdio: ["ignore", isChief ? "inherit" : "pipe", isChief ? "inherit" : "pipe", "ipc"],
      env: { ...process.env, TF_CONFIG: JSON.stringify(seat), [replicaVariable]: "1" },
    });
    this.#child.on("message", (message) => (this.#message = message as ReplicaMessage));
    for (const stream of [this.#child.stdout, this.#child.stderr]) if (stream !== null) this.#hear(stream);
    this.ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (status, signal) => resolve(this.#endOf(status, signal)));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills a process that stands still, and so is lost, or that is only in the way of another start. */
  end(why: "stands still" | "is in the way"): void {
    this.#isInTheWay = why === "is in the way";
    this.#child.kill("SIGKILL");
  }

  /** Tells why the process failed, in its own words. */
  tellFailure(): void {
    for (const line of this.#failures) this.#tell(line);
  }

  #endOf(status: number | null, signal: NodeJS.Signals | null): ReplicaEnd {
    return { name: this.name, kind: this.#kindOf(status, signal), how: signal ?? `status ${status}`, status };
  }

  #kindOf(status: number | null, signal: NodeJS.Signals | null): ReplicaEnd["kind"] {
    if (status === 0) return "done";
    if (this.#message === "port in use") return "port in use";
    if (this.#isInTheWay || this.#message === "lost a worker") return "alone";
    const isSignal = signal !== null || (status !== null && status > 128 && status - 128 in signalNumbers);
    return isSignal ? "lost" : "failed";
  }

  #hear(stream: Readable): void {
    createInterface({ input: stream }).on("line", (line) => {
      if (line.startsWith("convkit: ")) this.#failures.push(line);
      else this.#tell(line);
    });
  }

  #tell(line: string): void {
    const { out } = this.#context;
    if (out.json) out.event({ event: "worker", worker: this.name, text: line });
    else process.stderr.write(`${printable(line.startsWith(`${this.name} `) ? line : `${this.name}: ${line}`)}\n`);
  }
}

const signalNumbers: Readonly<Record<number, true>> = Object.fromEntries(
  Object.values(constants.signals).map((number) => [number, true]),
);
