import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { DriverOptions, Reply, Served } from "./protocol.ts";
import { BenchError } from "../usage-error.ts";

/** Answers requests line by line until standard input ends. */
export async function serve(): Promise<void> {
  // Replies must be the only thing on standard output.
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done) return;
  let served: Served | undefined;
  await answer(async () => {
    const options = JSON.parse(first.value) as DriverOptions;
    const started = await start(options);
    served = started.served;
    return { versions: started.versions };
  });
  if (served === undefined) return;
  const system = served;
  for await (const line of { [Symbol.asyncIterator]: () => lines }) {
    const { do: what, ...request } = JSON.parse(line);
    await answer(async () => ({
      ...(await ask(system, what, request)),
      peakMemory: process.resourceUsage().maxRSS * 1024,
    }));
  }
}

async function ask(system: Served, what: string, request: unknown): Promise<Reply> {
  const act = system[what as keyof Served];
  if (act === undefined) throw new BenchError(`This system cannot do "${what}".`);
  return act.call(system, request as never);
}

async function start(options: DriverOptions): Promise<{ served: Served; versions: Record<string, string> }> {
  if (options.system === "tfjs-node" || options.system === "tfjs-cpu")
    return (await import("./tfjs-node.ts")).start(options);
  return (await import("./convkit.ts")).start(options);
}

async function answer(work: () => Promise<Reply>): Promise<void> {
  let line: string;
  try {
    line = JSON.stringify({ ok: true, ...(await work()) });
  } catch (error) {
    process.stderr.write(`${(error as Error).stack}\n`);
    line = JSON.stringify({ ok: false, error: (error as Error).message.split("\n")[0] });
  }
  const bytes = Buffer.from(`${line}\n`);
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
}
