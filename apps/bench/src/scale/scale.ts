import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { networks } from "../cases/networks.ts";
import { peersPython } from "../commands/peers-environment.ts";
import { machine } from "../results/machine.ts";
import { freePorts } from "../measure/free-ports.ts";
import { groupSeconds } from "../measure/other-load.ts";
import { quantile } from "../results/statistics.ts";
import { BenchError, UsageError } from "../usage-error.ts";
import type { ScaleRequest } from "./worker.ts";

/** Options of `convkit-bench scale`. */
export interface ScaleOptions {
  readonly rounds?: number;
  /** Steps of each measurement. */
  readonly steps?: number;
  readonly workers?: number;
  readonly batch?: number;
  readonly json?: boolean;
  readonly out?: string;
}

const systems = {
  convkit: { label: "convkit", wire: "float32" },
  "convkit-bfloat16": { label: "convkit, bfloat16 on the wire", wire: "bfloat16" },
  keras: { label: "Keras, MultiWorkerMirroredStrategy", wire: "float32" },
  torch: { label: "PyTorch, DDP on gloo", wire: "float32" },
} as const;
type SystemName = keyof typeof systems;

/** One process with all threads and the whole batch, workers that share both, or the same processes without an exchange. */
const ways = ["alone", "together", "apart"] as const;
type Way = (typeof ways)[number];

/** Milliseconds of a step, medians of the rounds. */
interface Step {
  readonly wall: number;
  /** Processor time of all processes: what other work on the machine changes least. */
  readonly cpu: number;
}

/** What one system does. */
export interface ScaleRow {
  readonly case: string;
  readonly system: string;
  readonly alone: Step;
  readonly together: Step;
  readonly apart: Step;
  /** Together by alone: 1 if several workers lose nothing. */
  readonly ratio: Step;
  /** The part of a worker's step that is spent on the exchange: what the same processes save without it. */
  readonly communication: Step;
  /** Bytes that each worker sends and receives in a step, by the ring's formula. */
  readonly bytes: number;
}

const name = "resnet50-small";
const binary = fileURLToPath(new URL("../../bin/convkit-bench.js", import.meta.url));
const peer = fileURLToPath(new URL("../../python/scale_peer.py", import.meta.url));

/** `scale/<network>-b<batch>-w<workers>`: a step of one process, and of several that share batch and threads, in systems side by side. */
export async function scale(options: ScaleOptions): Promise<void> {
  const { rounds = 5, steps = 10, workers = 2, batch = 32 } = options;
  if (workers < 2 || batch % workers !== 0)
    throw new UsageError(
      `--workers must be at least 2, and divide --batch: got ${workers} workers and ${batch} images.`,
    );
  const cores = availableParallelism();
  const groups: Group[] = [];
  const starts: Promise<void>[] = [];
  try {
    for (const system of Object.keys(systems) as SystemName[])
      for (const way of ways) {
        // Nothing is sent by one process, so that a second row for the wire has the same.
        if (way !== "together" && system === "convkit-bfloat16") continue;
        const count = way === "alone" ? 1 : workers;
        const threads = Math.max(1, Math.floor(cores / count));
        const group = new Group(system, way);
        groups.push(group);
        starts.push(group.start(count, { threads, steps, batch: batch / count }));
      }
    await Promise.all(starts);
    const trainable = new Set(groups.map((group) => group.trainable));
    if (trainable.size !== 1) throw new BenchError(`The systems train other networks: ${[...trainable].join(", ")}.`);
    for (let round = 0; round < rounds; round++) for (const group of groups) await group.measure(steps);
  } finally {
    for (const group of groups) group.end();
  }
  const rows = (Object.keys(systems) as SystemName[]).map((system) => {
    const step = (way: Way): Step => {
      const own = groups.find((group) => group.system === system && group.way === way);
      return (own ?? groups.find((group) => group.system === "convkit" && group.way === way)!).median;
    };
    const [alone, together, apart] = ways.map(step) as [Step, Step, Step];
    const each = (compare: (key: keyof Step) => number): Step => ({ wall: compare("wall"), cpu: compare("cpu") });
    const size = systems[system].wire === "bfloat16" ? 2 : 4;
    return {
      case: `scale/${name}-b${batch}-w${workers}`,
      system: systems[system].label,
      alone,
      together,
      apart,
      ratio: each((key) => together[key] / alone[key]),
      communication: each((key) => Math.max(0, 1 - apart[key] / together[key])),
      bytes: Math.round((2 * (workers - 1) * size * groups[0]!.trainable) / workers),
    };
  });
  const result = { machine: machine(), loadAverage: loadavg()[0], rounds, steps, rows };
  if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(options.json === true ? `${JSON.stringify(result, undefined, 2)}\n` : tableOf(rows));
}

/** The processes of one system in one way, which wait while others are measured. */
class Group {
  readonly system: SystemName;
  readonly way: Way;
  trainable = 0;
  readonly #steps: Step[] = [];
  #children: { readonly child: ChildProcess; readonly next: () => Promise<Said> }[] = [];

  constructor(system: SystemName, way: Way) {
    this.system = system;
    this.way = way;
  }

  get median(): Step {
    const of = (key: keyof Step): number =>
      quantile(
        this.#steps.map((step) => step[key]),
        0.5,
      );
    return { wall: of("wall"), cpu: of("cpu") };
  }

  async start(count: number, share: Pick<ScaleRequest, "threads" | "steps" | "batch">): Promise<void> {
    const { input, classes, scale: pixels } = networks[name];
    const network = { name, input, classes, scale: pixels };
    const ports = this.way === "together" ? await freePorts(count) : [];
    const addresses = ports.map((port) => `127.0.0.1:${port}`);
    const { wire } = systems[this.system];
    this.#children = Array.from({ length: count }, (_, rank) =>
      started({ ...share, system: this.system, network, addresses, rank, wire }),
    );
    const said = await Promise.all(this.#children.map(({ next }) => next()));
    this.trainable = said[0]!.trainable!;
  }

  /** Lets all processes do their steps at once; the slowest counts. */
  async measure(steps: number): Promise<void> {
    const used = (): number => this.#children.reduce((sum, { child }) => sum + groupSeconds(child.pid!), 0);
    const before = used();
    const said = this.#children.map(({ child, next }) => {
      child.stdin!.write("go\n");
      return next();
    });
    const seconds = (await Promise.all(said)).map((each) => each.seconds!);
    this.#steps.push({ wall: (1000 * Math.max(...seconds)) / steps, cpu: (1000 * (used() - before)) / steps });
  }

  end(): void {
    for (const { child } of this.#children) child.kill("SIGKILL");
  }
}

interface Said {
  readonly trainable?: number;
  readonly seconds?: number;
}

function started(request: ScaleRequest): { child: ChildProcess; next: () => Promise<Said> } {
  const json = JSON.stringify(request);
  const python = peersPython();
  if (python === undefined) throw new BenchError("Keras and PyTorch are not installed: run `pnpm bench setup`.");
  const command = request.system.startsWith("convkit")
    ? [process.execPath, binary, "scale-worker", json]
    : [python, peer, json];
  // Leads a process group, whose processor time is measured; it ends when its standard input does.
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    // PyTorch's threads wait for each other in loops by default, which takes ten times as long where other work has a processor.
    env: { ...process.env, OMP_WAIT_POLICY: "passive" },
  });
  let errors = "";
  child.stderr.on("data", (data) => (errors = (errors + String(data)).slice(-2000)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Said> => {
    const { done, value } = await lines.next();
    if (done === true) throw new BenchError(`A worker of ${request.system} ended: ${errors.trim().split("\n").at(-1)}`);
    return JSON.parse(value) as Said;
  };
  return { child, next };
}

function tableOf(rows: readonly ScaleRow[]): string {
  const both = ({ wall, cpu }: Step, digits: number): string => `${wall.toFixed(digits)}, ${cpu.toFixed(digits)}`;
  const lines = rows.map(
    ({ case: title, system, alone, together, ratio, communication, bytes }) =>
      `| ${title} | ${system} | ${both(alone, 0)} | ${both(together, 0)} | ${both(ratio, 2)} | ${both(communication, 2)} | ${(bytes / 1e6).toFixed(1)} |`,
  );
  const head = [
    "| case: time, processor time | system | one process, ms | workers, ms | workers / one | share of the exchange | MB a step |",
    "|---|---|--:|--:|--:|--:|--:|",
  ];
  return `${[...head, ...lines].join("\n")}\n`;
}
