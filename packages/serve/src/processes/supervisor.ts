import cluster, { type Worker } from "node:cluster";
import { setTimeout as after } from "node:timers/promises";
import { checkOptions, checkValue, OptionError, shown, trueOrFalse, type OptionNames } from "@convkit/errors";
import { endedMetrics, metricsText } from "../metrics.ts";
import type { ModelServer } from "../model-server.ts";
import type { ReloadReport } from "../models/registry.ts";
import { ServeError } from "../serve-error.ts";
import type { LogEntry } from "../serve-options.ts";
import { type Calls, createCalls } from "./calls.ts";
import { type AboutMember, memberMark, relayedMark } from "./member.ts";
import { createRelay, type Relay } from "./relay.ts";

/** Options of `superviseServers`. */
export interface SuperviseOptions {
  /** Receives what happens to the processes; none by default. Each process has a log of its own. */
  readonly onLog?: ((entry: LogEntry) => void) | undefined;
  /**
   * Whether this process reads the requests, keeps each until it is answered, and asks another process where one ends before its answer
   * is whole; false by default: the processes share the port, and one that is killed takes what it had accepted along. The processes then
   * leave SIGTERM and SIGINT to this one, which may come to the whole group of processes.
   */
  readonly resend?: boolean | undefined;
}

const optionNames: OptionNames<SuperviseOptions> = { onLog: true, resend: true };

/** A process that ended before this many milliseconds is started again only after a second. */
const shortLife = 10_000;

interface Member {
  readonly worker: Worker;
  readonly calls: Calls;
  readonly since: number;
  /** The metrics at the last look. */
  metrics?: unknown;
}

/**
 * Runs this program in `count` more processes that share one port, and starts those again that end. Call it in the primary process of
 * `node:cluster`, and `serve` in the others: `cluster.isPrimary ? await superviseServers(4) : await serve(models)`. Resolves once all
 * are ready.
 *
 * Throws an `OptionError` for a wrong count, a `ServeError` if a process ends before it is ready.
 */
export async function superviseServers(count: number, options: SuperviseOptions = {}): Promise<ModelServer> {
  checkOptions("superviseServers", options, optionNames);
  if (!Number.isSafeInteger(count) || count < 1 || count > 1024)
    throw new OptionError(`superviseServers: expected a count from 1 to 1024, got ${shown(count)}.`);
  if (!cluster.isPrimary) throw new OptionError("superviseServers: expected the primary process of node:cluster.");
  const { onLog, resend = false } = options;
  checkValue("superviseServers", "resend", resend, trueOrFalse);
  const members = new Set<Member>();
  /** Counts of the processes that have ended, up to the last look at each. */
  let ended: Promise<unknown> = Promise.resolve([]);
  let isClosing = false;
  let latest: AboutMember | undefined;
  let relay: Relay | undefined;

  async function metricsOfAll(): Promise<string> {
    await Promise.all(
      [...members].map(async (member) => {
        // A process that ends meanwhile keeps its last metrics.
        member.metrics = await member.calls.call("metrics").catch(() => member.metrics);
      }),
    );
    const running = [...members].map(({ metrics = [] }) => metrics);
    return metricsText([...running, await ended]);
  }

  /** One after the other, so that the other processes answer while one loads. The first failure ends it. */
  async function reload(): Promise<ReloadReport> {
    let report: ReloadReport | undefined;
    for (const { calls } of members) report = (await calls.call("reload")) as ReloadReport;
    return report ?? { loaded: [], removed: [], kept: [] };
  }

  function start(onReady: (about: AboutMember) => void, onEnd: (reason: Error | string | number) => void): void {
    const worker = cluster.fork({ [memberMark]: resend ? relayedMark : "1" });
    let leave: (() => void) | undefined;
    /** The address of a relayed process is the relay's. */
    const onMemberReady = async (about: AboutMember): Promise<void> => {
      if (about.relay === undefined) return onReady(about);
      const { port, options: own } = about.relay;
      relay ??= createRelay(own);
      leave = relay.add(port);
      try {
        onReady({ ...about, url: await relay.listen() });
      } catch (error) {
        onEnd(error as Error);
      }
    };
    const calls = createCalls(
      {
        send: (message) => void (worker.isConnected() && worker.send(message as object)),
        onMessage: (listener) => void worker.on("message", listener),
      },
      {
        ready: (about) => onMemberReady(about as AboutMember),
        leave: async () => leave?.(),
        reload,
        metrics: metricsOfAll,
      },
    );
    const member: Member = { worker, calls, since: performance.now() };
    members.add(member);
    worker.on("error", () => {}); // Sending to a process that is gone; its exit says so.
    worker.on("exit", (code, signal) => {
      members.delete(member);
      leave?.();
      if (member.metrics !== undefined) ended = ended.then((before) => endedMetrics([before, member.metrics]));
      calls.end("The process has ended.");
      onEnd(signal ?? code);
      if (!isClosing) void restart(member, signal ?? code);
    });
  }

  async function restart({ since }: Member, reason: string | number): Promise<void> {
    onLog?.({ level: "error", event: "process ended", reason });
    if (performance.now() - since < shortLife) await after(1000);
    if (isClosing || latest === undefined) return;
    start(
      (about) => {
        latest = about;
        onLog?.({ level: "info", event: "process replaced" });
      },
      () => {},
    );
  }

  let closing: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    isClosing = true;
    // First what the relay has accepted, while every process still answers.
    await relay?.close();
    await Promise.all(
      [...members].map(async ({ worker, calls }) => {
        const exited = new Promise((resolve) => worker.once("exit", resolve));
        if (worker.isDead()) return;
        await calls.call("close").catch(() => {});
        await exited;
      }),
    );
  };
  const close = (): Promise<void> => (closing ??= end());
  const first = Array.from(
    { length: count },
    () =>
      new Promise<AboutMember>((resolve, reject) => {
        start(resolve, (reason) => {
          const how = typeof reason === "number" ? `status ${reason}` : String(reason);
          const ended = new ServeError(`A process of the server ended with ${how} before it was ready.`);
          reject(reason instanceof Error ? reason : ended);
        });
      }),
  );
  try {
    [latest] = await Promise.all(first);
  } catch (error) {
    await close();
    throw error;
  }
  return { url: latest!.url, models: () => [...latest!.models], reload, close };
}
