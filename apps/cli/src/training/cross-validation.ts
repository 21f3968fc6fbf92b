import { existsSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { writeJson } from "@convkit/files";
import { claimRunDirectory, type FoldStatistics, runDirectory } from "@convkit/trainer";
import { foldFolder, foldStatistics } from "@convkit/trainer/internal";
import { storedRun } from "../inputs/run-directory.ts";
import type { Context } from "../terminal/context.ts";
import { table } from "../terminal/format.ts";
import { CliError, UsageError } from "../terminal/usage-error.ts";
import { type EndedRun, resultDocument, writeResult } from "./finish-run.ts";
import type { RunConfig } from "./run-config.ts";
import type { RunPlace } from "./run-place.ts";
import { trainRun } from "./train-run.ts";

/**
 * Trains a run for each fold into its own run directory in `place.folder`, and writes `folds.json` there. The folder's
 * `config.json` has the settings that all folds share.
 */
export async function crossValidate(context: Context, config: RunConfig, place: RunPlace): Promise<void> {
  const { folder, isResumed } = place;
  const shared = runDirectory(folder).config;
  if (!isResumed && existsSync(shared))
    throw new UsageError(
      `${folder} has a run already: continue it with convkit train --resume ${folder}, or give another --out.`,
    );
  const wasThere = existsSync(folder);
  const claim = await claimRunDirectory(folder, { fresh: false });
  let isUnstarted = false;
  try {
    await writeJson(shared, config);
    await trainFolds(context, config, place);
  } catch (error) {
    // As a single run, a cross-validation that fails before its first step leaves nothing.
    isUnstarted = !isResumed && !existsSync(join(folder, foldFolder(0)));
    if (isUnstarted) await rm(shared);
    throw error;
  } finally {
    await claim.release();
    if (isUnstarted && !wasThere) await rmdir(folder);
  }
}

async function trainFolds(context: Context, config: RunConfig, place: RunPlace): Promise<void> {
  const { folder, isResumed } = place;
  const folds = config.folds!;
  const ended: EndedRun[] = [];
  for (let index = 0; index < folds && !ended.some(({ result }) => result.interrupted); index += 1) {
    const own = join(folder, foldFolder(index));
    // Of a fold that has begun: its classes and its machine.
    const begun = isResumed ? await storedRun(own) : undefined;
    const settings = { ...begun, ...config, fold: { number: index + 1, of: folds } };
    context.out.note(`fold ${index + 1} of ${folds}:`);
    await trainRun(context, settings, { ...place, folder: own, isResumed: begun !== undefined }, async (run) => {
      await writeResult(run);
      ended.push(run);
    });
  }
  const results = ended.map(({ result }) => result);
  const interrupted = results.some((result) => result.interrupted);
  const statistics = interrupted ? {} : foldStatistics(results);
  if (!interrupted) await writeJson(join(folder, "folds.json"), { folds, statistics });
  context.out.result(
    { run: folder, folds: ended.map(resultDocument), statistics, interrupted },
    interrupted
      ? `Interrupted in fold ${ended.length} of ${folds}; continue with convkit train --resume ${folder}`
      : `${foldTable(statistics)}\nrun directories: ${join(folder, foldFolder(0))} to ${foldFolder(folds - 1)}`,
  );
  const bad = results.findIndex(({ diverged }) => diverged);
  if (bad !== -1)
    throw new CliError(`The training of fold ${bad + 1} ended since ${results[bad]!.stopReason}, so there is no mean.`);
}

/** A row for each fold, then mean and deviation. */
function foldTable(statistics: Readonly<Record<string, FoldStatistics>>): string {
  const columns = Object.values(statistics);
  const row = (name: string, valueOf: (column: FoldStatistics) => number) => [
    name,
    ...columns.map((column) => valueOf(column).toFixed(4)),
  ];
  const folds = columns[0]?.values ?? [];
  return table(
    ["fold", ...Object.keys(statistics)],
    [
      ...folds.map((_, index) => row(String(index + 1), ({ values }) => values[index]!)),
      row("mean", ({ mean }) => mean),
      row("deviation", ({ deviation }) => deviation),
    ],
  );
}
