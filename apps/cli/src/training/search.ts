import { type ValueRule, oneOf, wholeFromOne } from "@convkit/errors";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { readJson, writeFileAtomic, writeJson } from "@convkit/files";
import {
  checkPlan,
  claimRunDirectory,
  type EpochLogs,
  readHistory,
  type RunClaim,
  runDirectory,
  type SearchSpace,
  searchSettings,
  type SearchTrial,
} from "@convkit/trainer";
import {
  checkSpace,
  listOf,
  record,
  shaped,
  type StoredShape,
  storedProblems,
  text,
  throwStored,
} from "@convkit/trainer/internal";
import { configShape, namingFile } from "../inputs/run-directory.ts";
import type { Context } from "../terminal/context.ts";
import { table } from "../terminal/format.ts";
import { CliError, UsageError } from "../terminal/usage-error.ts";
import { writeResult } from "./finish-run.ts";
import type { RunConfig } from "./run-config.ts";
import type { RunPlace } from "./run-place.ts";
import { trainRun } from "./train-run.ts";
import { trainInProcess } from "./trial-process.ts";

/** What `search.json` keeps: all that a resumed search needs, and its trials so far. */
export interface StoredSearch {
  readonly config: RunConfig;
  readonly space: SearchSpace;
  readonly trials: number;
  readonly method: "random" | "halving";
  readonly monitor: "valLoss" | "valAccuracy";
  readonly done: readonly SearchTrial[];
}

/** The folder of a search, and how its trials are trained. */
export interface SearchPlace extends RunPlace {
  /** How many trials train at once, each in a process of its own; 1 trains in this process. */
  readonly parallel: number;
}

/** Searches over settings; each trial has a run directory in `place.folder`, whose `search.json` and `search.csv` have the table. */
export async function runSearch(context: Context, stored: StoredSearch, place: SearchPlace): Promise<void> {
  // A second search in this folder would find the trials in use, and keep that as their results.
  const claim = await claimRunDirectory(place.folder, { fresh: false });
  try {
    await search(context, stored, { ...place, claim });
  } finally {
    await claim.release();
  }
}

async function search(
  context: Context,
  stored: StoredSearch,
  { claim, ...place }: SearchPlace & { readonly claim: RunClaim },
): Promise<void> {
  const { config, space, trials, method, monitor } = stored;
  const { folder, parallel } = place;
  const file = join(folder, "search.json");
  if (!place.isResumed && existsSync(file))
    throw new UsageError(
      `${folder} has a search already: continue it with convkit search --resume ${folder}, or give another --out.`,
    );
  await writeJson(file, stored);
  const keep = async (done: readonly SearchTrial[]) => {
    claim.check();
    await writeJson(file, { ...stored, done });
    await writeFileAtomic(join(folder, "search.csv"), csvOf(done, space, monitor));
  };
  const found = await searchSettings({
    space,
    trials,
    method,
    epochs: config.plan.epochs,
    seed: config.seed,
    better: monitor === "valLoss" ? "lower" : "higher",
    done: stored.done,
    parallel,
    signal: context.signal,
    onTrial: keep,
    run: async ({ trial, settings, epochs }) => {
      context.out.note(`trial ${trial} of ${trials}, ${epochs} epochs: ${JSON.stringify(settings)}`);
      const own = join(folder, `trial-${trial}`);
      const plan = Object.entries({ ...settings, epochs }).reduce(
        (changed, [path, value]) => withValue(changed, path.split("."), value),
        config.plan,
      );
      checkPlan(plan);
      const isResumed = existsSync(runDirectory(own).config);
      const settled = { ...config, plan, name: `${config.name}-${trial}` };
      const train = parallel === 1 ? trainHere : trainBeside;
      const { history, interrupted } = await train(context, settled, { ...place, folder: own, isResumed });
      const values = history.flatMap((epoch) => epoch[monitor] ?? []);
      if (values.length === 0 && !interrupted) throw new CliError("there are no validation images: give --validation");
      const value = monitor === "valLoss" ? Math.min(...values) : Math.max(...values);
      if (parallel > 1) context.out.note(`trial ${trial}: ${monitor} ${value.toPrecision(5)}`);
      return value;
    },
  });
  const interrupted = context.signal.aborted;
  context.out.result(
    { search: folder, monitor, trials: found, interrupted },
    interrupted
      ? `Interrupted; continue with convkit search --resume ${folder}`
      : `${tableOf(found, space, monitor)}\nrun directories: ${folder}`,
  );
  if (!interrupted && found.every(({ error }) => error !== undefined))
    throw new CliError(`All trials failed; the first one: ${found[0]!.error}`);
}

/** What a trial reached. */
interface EndedTrial {
  readonly history: readonly EpochLogs[];
  readonly interrupted: boolean;
}

/** Trains a trial in this process. */
async function trainHere(context: Context, config: RunConfig, place: SearchPlace): Promise<EndedTrial> {
  let ended: EndedTrial | undefined;
  await trainRun(context, config, { ...place, isTrial: true }, async (run) => {
    await writeResult(run);
    if (run.result.diverged) throw new CliError(`${run.result.stopReason}`);
    ended = run.result;
  });
  return ended!;
}

/** Trains a trial in a process of its own, with its part of the processor's threads. */
async function trainBeside(context: Context, config: RunConfig, place: SearchPlace): Promise<EndedTrial> {
  const { folder, isResumed, parallel } = place;
  const threads = config.threads ?? Math.max(1, Math.floor(availableParallelism() / parallel));
  // What a recipe promises holds for its own settings alone.
  const { expects: _expects, ...plan } = config.plan;
  if (!isResumed) await writeJson(runDirectory(folder).config, { ...config, plan, threads });
  await trainInProcess(context, { place, epochs: plan.epochs, threads });
  return { history: await readHistory(runDirectory(folder).history), interrupted: context.signal.aborted };
}

const trialShape: StoredShape = {
  fields: { trial: wholeFromOne, settings: record, epochs: wholeFromOne },
  optional: { value: ["a number", Number.isFinite] satisfies ValueRule, error: text },
};

const searchShape: StoredShape = {
  fields: {
    config: configShape,
    space: record,
    trials: wholeFromOne,
    method: oneOf(["random", "halving"]),
    monitor: oneOf(["valLoss", "valAccuracy"]),
    done: listOf(shaped(trialShape)),
  },
};

/**
 * The search in a folder. Throws a `UsageError` if there is none, a `FileError` or `TrainerError` that names `search.json` if it is
 * damaged.
 */
export async function storedSearch(folder: string): Promise<StoredSearch> {
  const file = join(folder, "search.json");
  if (!existsSync(file))
    throw new UsageError(`Cannot resume ${folder}: there is no search.json, so it is no folder of a search.`);
  const stored = (await readJson(file)) as unknown as StoredSearch;
  throwStored(file, storedProblems("search", stored, searchShape));
  namingFile(file, () => {
    checkSpace(stored.space);
    checkPlan(stored.config.plan);
  });
  return stored;
}

function rowsOf(found: readonly SearchTrial[], space: SearchSpace): string[][] {
  return found.map(({ trial, epochs, value, error, settings }) => [
    String(trial),
    String(epochs),
    value === undefined ? `failed: ${error}` : value.toPrecision(5),
    ...Object.keys(space).map((path) => String(settings[path])),
  ]);
}

function tableOf(found: readonly SearchTrial[], space: SearchSpace, monitor: string): string {
  return table(["trial", "epochs", monitor, ...Object.keys(space)], rowsOf(found, space));
}

function csvOf(found: readonly SearchTrial[], space: SearchSpace, monitor: string): string {
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = [["trial", "epochs", monitor, ...Object.keys(space)], ...rowsOf(found, space)];
  return `${rows.map((row) => row.map(cell).join(",")).join("\n")}\n`;
}

/** A copy of a plan with a value at a path. */
function withValue<T extends object>(object: T, [key, ...rest]: readonly string[], value: unknown): T {
  if (key === undefined) return object;
  const before = (object as Record<string, unknown>)[key];
  const isObject = typeof before === "object" && before !== null;
  return { ...object, [key]: rest.length === 0 ? value : withValue(isObject ? before : {}, rest, value) };
}
