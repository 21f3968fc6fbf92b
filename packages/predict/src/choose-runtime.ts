import { createHash } from "node:crypto";
import os from "node:os";
import path from "node:path";
import type { Feed, Values } from "@convkit/graph";
import { cacheFolder, hashFile, readJson, writeJson } from "@convkit/files";

import { PredictError } from "./predict-error.ts";
import { checkFeeds, holdsWholeNumbers } from "./runtimes/check-feeds.ts";
import type { Port, Session, SessionOptions } from "./runtimes/session.ts";
import { openOnnx, relativeDifference, runtimeVersion, type OnnxFile } from "./runtimes/runtime.ts";
import { onnxRuntimes, type OnnxRuntimeName } from "./runtimes/runtime-names.ts";

/** How far a runtime's outputs may be from the model's own, relative to the largest of them. */
const largestDifference = { float32: 1e-3, bfloat16: 5e-2 } as const;

/** What was found about one runtime. */
export interface RuntimeTrial {
  readonly runtime: OnnxRuntimeName;
  /** Its version; missing if it is not installed. */
  readonly version?: string | undefined;
  /** The largest difference from the model's own outputs, relative to the largest output; missing if it was not compared. */
  readonly difference?: number | undefined;
  /** Milliseconds of one call at the batch that was asked for; missing if it was not measured. */
  readonly ms?: number | undefined;
  /** Why it was not taken. */
  readonly reason?: string | undefined;
}

/** What a choice depends on, besides the runtimes that are installed. */
export interface ChoiceQuestion {
  readonly file: OnnxFile;
  readonly options: SessionOptions;
  /** The first call: its batch is the one that is measured. Made from the inputs where there was none yet. */
  readonly feeds: readonly Feed[] | ((inputs: readonly Port[]) => readonly Feed[]);
  /** The model's own outputs for inputs; missing where no engine of tfjs can give them. */
  readonly own?: ((feeds: readonly Feed[]) => Promise<Values[]>) | undefined;
  /** The runtimes to choose from, best first where they are equal. */
  readonly among?: readonly OnnxRuntimeName[] | undefined;
}

/** The chosen runtime, open; undefined if none can be used. */
export interface Choice {
  readonly session?: Session | undefined;
  readonly runtime?: OnnxRuntimeName | undefined;
  readonly trials: readonly RuntimeTrial[];
}

/**
 * Opens the fastest runtime that is installed and gives the model's own numbers. A runtime that is too far from them is closed
 * again, and `trials` says so. Comparison and times are remembered in the cache, by model, versions, threads and machine.
 */
export async function chooseRuntime(question: ChoiceQuestion): Promise<Choice> {
  const { among = onnxRuntimes, options, file, own } = question;
  const versions = await Promise.all(among.map(runtimeVersion));
  const installed = among.filter((_, index) => versions[index] !== undefined);
  const missing = among
    .filter((name) => !installed.includes(name))
    .map((runtime): RuntimeTrial => ({ runtime, reason: "it is not installed" }));
  // Where there is nothing to find out, the file's hash would be for nothing.
  const memory = own === undefined && installed.length < 2 ? undefined : await choiceFile(question, versions);
  const known = new Map(among.map((name, index) => [name, versions[index]]));
  const remembered =
    memory === undefined ? undefined : await readRemembered(memory, known, own === undefined ? "ms" : "difference");
  if (remembered !== undefined) {
    const best = remembered.find(({ reason }) => reason === undefined);
    if (best === undefined) return { trials: [...remembered, ...missing] };
    const session = await openOnnx(best.runtime, file, { ...options, keeps: true }).catch(onPredictError);
    // What was remembered does not open any more: all are tried anew.
    if (session !== undefined) return { session, runtime: best.runtime, trials: [...remembered, ...missing] };
  }
  const tried: Tried[] = [];
  try {
    for (const runtime of installed) tried.push(await tryRuntime(runtime, versions[among.indexOf(runtime)]!, question));
    await timeAll(tried);
  } catch (error) {
    for (const { session } of tried) await session?.dispose();
    throw error;
  }
  const usable = tried
    .filter(({ session }) => session !== undefined)
    .toSorted((a, b) => (a.trial.ms ?? 0) - (b.trial.ms ?? 0));
  const [best, ...slower] = usable;
  for (const { session } of slower) await session!.dispose();
  const trials = tried.map(({ trial }) =>
    slower.some((each) => each.trial === trial) ? { ...trial, reason: "another was faster" } : trial,
  );
  // A runtime that did not even open may be mended by the next program.
  const isSure = trials.every(({ reason, difference, ms }) => reason === undefined || (difference ?? ms) !== undefined);
  if (isSure && trials.length > 0 && memory !== undefined) await remember(memory, trials);
  return { session: best?.session, runtime: best?.trial.runtime, trials: [...trials, ...missing] };
}

/** A runtime that was tried; open, and with the inputs to time it by, unless it was refused. */
interface Tried {
  trial: RuntimeTrial;
  readonly session?: Session | undefined;
  readonly feeds?: readonly Feed[] | undefined;
}

async function tryRuntime(
  runtime: OnnxRuntimeName,
  version: string,
  { file, options, feeds: given, own }: ChoiceQuestion,
): Promise<Tried> {
  let session: Session | undefined;
  let difference: number | undefined;
  try {
    session = await openOnnx(runtime, file, { ...options, keeps: true });
    const feeds = typeof given === "function" ? given(session.inputs) : given;
    checkFeeds(session.inputs, feeds);
    if (own !== undefined) difference = await compare(session, own, feeds);
    const limit = largestDifference[options.precision];
    if (difference !== undefined && !(difference <= limit))
      throw new PredictError(
        `its outputs differ from the model's own by ${difference.toPrecision(2)} of the largest, more than ${limit}`,
      );
    return { trial: { runtime, version, difference }, session, feeds };
  } catch (error) {
    await session?.dispose();
    if (!(error instanceof PredictError)) throw error;
    return { trial: { runtime, version, difference, reason: error.message.replace(/\.$/, "") } };
  }
}

/** The largest difference from the model's own outputs on two batches, of one image and of two. */
async function compare(
  session: Session,
  own: (feeds: readonly Feed[]) => Promise<Values[]>,
  feeds: readonly Feed[],
): Promise<number> {
  let worst = 0;
  for (const batch of [1, 2]) {
    const drawn = feeds.map((feed, index) => drawnLike(feed, batch, index, holdsWholeNumbers(session.inputs[index]!)));
    worst = Math.max(worst, relativeDifference(await session.run(drawn), await own(drawn)));
  }
  return worst;
}

/** Values in the range of a feed's, the same at every call, for another batch size. */
function drawnLike({ data, shape }: Feed, batch: number, seed: number, areWhole: boolean): Feed {
  const rest = shape.slice(1);
  const count = batch * rest.reduce((product, size) => product * size, 1);
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!(high > low)) [low, high] = areWhole ? [high, high] : [-1, 1];
  if (!Number.isFinite(low)) [low, high] = [0, 0];
  let state = 2 * seed + 1;
  const next = () => {
    // Numerical Recipes' linear congruential generator: any spread of values will do.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + (state / 2 ** 32) * (high - low);
  };
  const values = data instanceof Int32Array ? new Int32Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = areWhole ? Math.floor(next()) : next();
  return { data: values, shape: [batch, ...rest] };
}

/** Rounds of a comparison: at least, at most, and at most where the two fastest are closer than a tenth. */
const rounds = { least: 3, most: 100, close: 400 } as const;
/** Milliseconds of all rounds, and of all where the two fastest are closer than a tenth; a slow model takes its least rounds. */
const timing = { all: 500, close: 1000 } as const;

/**
 * Milliseconds of a call of each runtime that is open, where there are two or more: the fastest of many, in turn, since other work on
 * the machine only makes calls slower and meets both alike.
 */
async function timeAll(tried: readonly Tried[]): Promise<void> {
  const open = tried.filter(({ session }) => session !== undefined);
  if (open.length < 2) return;
  const call = async ({ session, feeds }: Tried): Promise<void> => {
    if (session!.runNow?.(feeds!) === undefined) await session!.run(feeds!);
  };
  for (const each of open) for (let warm = 0; warm < 2; warm++) await call(each);
  const best = open.map(() => Infinity);
  const begin = performance.now();
  for (let round = 0; round < rounds.close; round++) {
    const [first, second] = best.toSorted((a, b) => a - b);
    const isClose = second! < 1.1 * first!;
    const isOver = performance.now() - begin > (isClose ? timing.close : timing.all);
    if (round >= rounds.least && (isOver || (round >= rounds.most && !isClose))) break;
    for (const [index, each] of open.entries()) {
      const start = performance.now();
      await call(each);
      best[index] = Math.min(best[index]!, performance.now() - start);
    }
  }
  for (const [index, each] of open.entries()) each.trial = { ...each.trial, ms: best[index]! };
}

/** Where the choice for a question is remembered. */
export async function choiceFile(
  { file, options, feeds, own, among = onnxRuntimes }: ChoiceQuestion,
  versions: readonly unknown[],
): Promise<string> {
  const cpu = os.cpus()[0]?.model ?? "";
  const about = {
    options,
    versions,
    among,
    shapes: typeof feeds === "function" ? "one row" : feeds.map(({ shape }) => shape),
    cpu,
    cores: os.availableParallelism(),
    isCompared: own !== undefined,
    model: typeof file === "string" ? await hashFile(file) : createHash("sha256").update(file).digest("hex"),
  };
  const key = createHash("sha256").update(JSON.stringify(about)).digest("hex").slice(0, 32);
  return path.join(cacheFolder("predict"), `${key}.json`);
}

/**
 * The trials in a file; undefined unless they are of each runtime that is installed, once and in the version that is there, and each
 * has a number for what was to be found out.
 */
async function readRemembered(
  file: string,
  versions: ReadonlyMap<string, string | undefined>,
  wanted: "difference" | "ms",
): Promise<RuntimeTrial[] | undefined> {
  const found = (await readJson(file).catch(() => undefined)) as unknown;
  if (!Array.isArray(found)) return undefined;
  const trials = found as (Partial<RuntimeTrial> | null)[];
  const isTrial = (each: Partial<RuntimeTrial> | null) =>
    typeof each?.version === "string" &&
    each.version === versions.get(String(each.runtime)) &&
    typeof each[wanted] === "number" &&
    (each.reason === undefined || typeof each.reason === "string");
  const installed = [...versions.values()].filter((version) => version !== undefined);
  const isWhole =
    trials.length === installed.length && new Set(trials.map((each) => each?.runtime)).size === trials.length;
  return isWhole && trials.every(isTrial) ? (trials as RuntimeTrial[]) : undefined;
}

function onPredictError(error: unknown): undefined {
  if (!(error instanceof PredictError)) throw error;
}

/** A cache that cannot be written means that the next program measures again. */
async function remember(file: string, trials: readonly RuntimeTrial[]): Promise<void> {
  await writeJson(file, trials).catch(() => {});
}
