import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { rawPixels } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import { saveModel } from "@convkit/weights";
import sharp from "sharp";
import { caseMatcher } from "../cases/case-matcher.ts";
import { peersPython } from "../commands/peers-environment.ts";
import { freePorts } from "../measure/free-ports.ts";
import { groupSeconds } from "../measure/other-load.ts";
import { quantile } from "../results/statistics.ts";
import { BenchError, UsageError } from "../usage-error.ts";
import { ask, askOnce, type Seen } from "./load.ts";
import {
  bodies,
  type Body,
  type Content,
  type ServedNetwork,
  servedNetworks,
  type ServingName,
  type ServingSystem,
  servingSystems,
} from "./systems.ts";

/** Options of `convkit-bench serving`. */
export interface ServingOptions {
  readonly rounds?: number;
  readonly seconds?: number;
  readonly connections?: number;
  readonly threads?: number;
  readonly systems?: readonly string[];
  /** More options of `convkit serve`: each text is a server of its own beside the others. */
  readonly serve?: readonly string[];
  readonly json?: boolean;
  readonly out?: string;
}

/** A row: what a system does with a network and a kind of body. */
export interface ServingRow {
  readonly case: string;
  /** The name of the system, with the options of `convkit serve` that it was given. */
  readonly system: string;
  /** Images a second, the median of the rounds; missing where the system cannot. */
  readonly rate?: number;
  readonly p50?: number;
  readonly p99?: number;
  /** Milliseconds of processor time that the server spends on an image: what other work on the machine changes least. */
  readonly cpu?: number;
  /** This rate by that of the fastest peer. */
  readonly ratio?: number;
  readonly note?: string;
}

/** A server that is measured. */
interface Server {
  readonly name: ServingName;
  readonly more: string;
}

type Measured = Seen & { readonly cpu: number };

/** The load before the first measurement: JavaScript is compiled for good only after thousands of requests. */
const warmUp = { seconds: 15, answers: 4000 };

/** `serve/<network>/<body>`: servers of the same network under the same load, interleaved. */
export async function serving(patterns: readonly string[], options: ServingOptions): Promise<void> {
  const cases = (Object.keys(servedNetworks) as ServedNetwork[]).flatMap((network) =>
    bodies.map((body) => ({ network, body, name: `serve/${network}/${body}` })),
  );
  const tests = patterns.map((pattern) => caseMatcher(pattern.includes("*") ? pattern : `${pattern}*`));
  const chosen = cases.filter(({ name }) => tests.length === 0 || tests.some((test) => test(name)));
  if (chosen.length === 0) throw new UsageError(`The cases are ${cases.map(({ name }) => name).join(", ")}.`);
  await useEngine();
  const rows: ServingRow[] = [];
  for (const network of new Set(chosen.map((each) => each.network))) {
    const wanted = chosen.filter((each) => each.network === network).map(({ body }) => body);
    rows.push(...(await rowsOf(network, wanted, options)));
    if (!options.json) process.stderr.write(tableOf(rows.filter((row) => row.case.startsWith(`serve/${network}/`))));
  }
  const threads = options.threads ?? availableParallelism();
  const result = { threads, connections: options.connections ?? 8, loadAverage: loadavg()[0], rows };
  if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(options.json ? `${JSON.stringify(result, undefined, 2)}\n` : tableOf(rows));
}

async function rowsOf(network: ServedNetwork, wanted: readonly Body[], options: ServingOptions): Promise<ServingRow[]> {
  const { rounds = 3, seconds = 3, connections = 8, threads = availableParallelism() } = options;
  const folder = mkdtempSync(join(tmpdir(), "convkit-serving-"));
  const servers = (Object.keys(servingSystems) as ServingName[])
    .filter((name) => options.systems === undefined || options.systems.includes(name))
    .flatMap((name) => (name === "convkit" ? (options.serve ?? [""]) : [""]).map((more): Server => ({ name, more })));
  const running = new Map<Server, { readonly port: number; readonly child: ChildProcess }>();
  const notes = new Map<Server, string>();
  try {
    const onnx = join(folder, `${network}.onnx`);
    const model = createModel(network, { seed: 1 });
    // Without the preprocessing that a network of the zoo carries: every server gets the same numbers.
    await saveModel(model, onnx, { metadata: { preprocessing: rawPixels } });
    model.dispose();
    const content = await contentOf(servedNetworks[network]);
    for (const server of servers) {
      try {
        const more = server.more.split(" ").filter(Boolean);
        running.set(server, await started(servingSystems[server.name], { network, onnx, threads, more }, content));
      } catch (error) {
        notes.set(server, (error as Error).message);
      }
    }
    const rows: ServingRow[] = [];
    for (const body of wanted) {
      await checkAgreement(body, running, content);
      const seen = new Map<Server, Measured[]>();
      for (let round = 0; round < rounds; round++) {
        for (const [server, { port, child }] of running) {
          const request = servingSystems[server.name].request(body, content);
          if (round === 0) await ask({ port, request, connections, ...warmUp });
          const before = groupSeconds(child.pid!);
          const once = await ask({ port, request, connections, seconds });
          const cpu = (1000 * (groupSeconds(child.pid!) - before)) / once.answers;
          seen.set(server, [...(seen.get(server) ?? []), { ...once, cpu }]);
        }
      }
      rows.push(...rowsOfCase(`serve/${network}/${body}`, servers, seen, notes));
    }
    return rows;
  } finally {
    for (const { child } of running.values()) endGroup(child);
    rmSync(folder, { recursive: true });
  }
}

function rowsOfCase(
  name: string,
  servers: readonly Server[],
  seen: ReadonlyMap<Server, readonly Measured[]>,
  notes: ReadonlyMap<Server, string>,
): ServingRow[] {
  const median = (server: Server, key: keyof Measured): number =>
    quantile(
      seen.get(server)!.map((one) => one[key]),
      0.5,
    );
  const peers = servers.filter((server) => server.name !== "convkit" && seen.has(server));
  return servers.map((server): ServingRow => {
    const system = `${server.name} ${server.more}`.trim();
    if (!seen.has(server)) return { case: name, system, note: notes.get(server) ?? "" };
    const others = peers.filter((peer) => peer !== server).map((peer) => median(peer, "rate"));
    const rate = median(server, "rate");
    const ratio = others.length === 0 ? {} : { ratio: rate / Math.max(...others) };
    return {
      case: name,
      system,
      rate,
      p50: median(server, "p50"),
      p99: median(server, "p99"),
      cpu: median(server, "cpu"),
      ...ratio,
    };
  });
}

/** A picture and numbers, the same in every run. */
async function contentOf(shape: readonly [number, number, number]): Promise<Content> {
  const [h, w, c] = shape;
  const pixels = Float32Array.from({ length: h * w * c }, (_, i) => ((i * 37) % 251) / 255);
  // A photo of the usual size: 500 x 375; for LeNet-5 a digit as it is.
  const [height, width] = h === 28 ? [28, 28] : [375, 500];
  const raw = Buffer.from(
    Uint8Array.from({ length: height * width * 3 }, (_, i) => 128 + 100 * Math.sin(i / 900) * Math.cos(i / 70_000)),
  );
  const jpeg = await sharp(raw, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
  return { jpeg, pixels, shape };
}

/** Starts a server and waits for its first answer. */
async function started(
  system: ServingSystem,
  start: {
    readonly network: ServedNetwork;
    readonly onnx: string;
    readonly threads: number;
    readonly more: readonly string[];
  },
  content: Content,
): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const [port] = (await freePorts(1)) as [number];
  const command = system.command({ ...start, port, python: peersPython() });
  if (command === undefined) throw new BenchError("not installed: run `pnpm bench setup`");
  const [file, ...args] = command;
  let errors = "";
  const child = spawn(file!, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
  child.stderr!.on("data", (data) => (errors = (errors + String(data)).slice(-2000)));
  const ended = new Promise<never>((_, reject) =>
    child.once("exit", () => reject(new BenchError(`it ended: ${errors.trim().split("\n").at(-1)}`))),
  );
  ended.catch(() => {});
  const request = system.request("binary", content);
  const answered = async (): Promise<void> => {
    for (let tries = 0; tries < 600; tries++) {
      await after(200);
      if (await askOnce(port, request).then(() => true, () => false)) return; // prettier-ignore
    }
    throw new BenchError("it gave no answer in two minutes");
  };
  try {
    await Promise.race([answered(), ended]);
  } catch (error) {
    endGroup(child);
    throw error;
  }
  return { port, child };
}

/** Every server with the weights of the file gives the same numbers. */
async function checkAgreement(
  body: Body,
  running: ReadonlyMap<Server, { readonly port: number }>,
  content: Content,
): Promise<void> {
  if (body === "jpeg") return;
  let expected: readonly number[] | undefined;
  for (const [{ name }, { port }] of running) {
    const system = servingSystems[name];
    if (!system.hasSameWeights) continue;
    const scores = system.scores(body, await askOnce(port, system.request(body, content)));
    expected ??= scores;
    const wrong = scores.findIndex((score, i) => !(Math.abs(score - expected![i]!) <= 1e-4));
    if (wrong >= 0 || scores.length !== expected.length)
      throw new BenchError(`${name} answers ${scores[wrong]} at ${wrong}, another server ${expected[wrong]}.`);
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, "SIGKILL");
  } catch {
    // The process has ended already.
  }
}

function tableOf(rows: readonly ServingRow[]): string {
  const lines = rows.map(({ case: name, system, rate, p50, p99, cpu, ratio, note }) =>
    rate === undefined
      ? `| ${name} | ${system} | ${note} | | | | |`
      : `| ${name} | ${system} | ${rate.toFixed(1)} | ${p50!.toFixed(1)} | ${p99!.toFixed(1)} | ${cpu!.toFixed(2)} | ${ratio?.toFixed(2) ?? ""} |`,
  );
  const head = [
    "| case | server | images/s | p50 ms | p99 ms | processor ms/image | of the fastest other peer |",
    "|---|---|--:|--:|--:|--:|--:|",
  ];
  return `${[...head, ...lines].join("\n")}\n`;
}
