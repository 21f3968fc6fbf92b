import { join, readdir, rm, stat } from "@convkit/files/system";
import { FileError, isTemporary, type Lock, type LockHolder, makeFolder, tryLock } from "@convkit/files";
import { listCheckpoints, recoverCheckpoints } from "./checkpoint.ts";
import { TrainerError } from "../trainer-error.ts";

/** The paths in a run directory. */
export interface RunDirectory {
  readonly path: string;
  readonly config: string;
  readonly history: string;
  readonly metrics: string;
  readonly checkpoints: string;
  readonly model: string;
  readonly tensorboard: string;
  /** The measured steps of `trainingHealth`. */
  readonly health: string;
  readonly report: string;
}

/** The paths in the run directory at `path`; does not access the disk. */
export function runDirectory(path: string): RunDirectory {
  return {
    path,
    config: join(path, "config.json"),
    history: join(path, "history.csv"),
    metrics: join(path, "metrics.json"),
    checkpoints: join(path, "checkpoints"),
    model: join(path, "model"),
    tensorboard: join(path, "tensorboard"),
    health: join(path, "health.json"),
    report: join(path, "report.html"),
  };
}

/** The right to write into a run directory, which one process has at a time. */
export interface RunClaim {
  /** Aborts if another process has taken over the directory, because this process was silent for too long. */
  readonly lost: AbortSignal;
  /** Throws `TrainerError` if the claim is lost: then nothing may be written any more. */
  check(): void;
  /** Ends the claim. */
  release(): Promise<void>;
}

/**
 * Makes the folder and claims it for this process. Throws `TrainerError` if another run is writing there, or if a run
 * would be overwritten (`fresh`).
 */
export async function claimRunDirectory(path: string, options: { readonly fresh: boolean }): Promise<RunClaim> {
  const places = runDirectory(path);
  const { lost, release } = await lockOf(path);
  try {
    await recoverCheckpoints(places.checkpoints);
    // A run that was refused before its first step leaves only its configuration.
    if (options.fresh && (await holdsRun(places)))
      throw new TrainerError(
        `The run directory ${path} already holds a run: give another --out, or continue it with --resume ${path}.`,
      );
    await sweep(places);
  } catch (error) {
    await release();
    throw error;
  }
  const check = () => {
    if (lost.aborted)
      throw new TrainerError(
        `Another process has taken over the run directory ${path}: this run has stopped and writes nothing more. Continue the run once the other process has ended, or give another --out.`,
      );
  };
  return { lost, check, release };
}

/** Makes the folder and takes its lock; throws a `TrainerError` if it cannot. */
async function lockOf(path: string): Promise<Lock> {
  let answer: { lock: Lock } | { holder: LockHolder };
  try {
    await makeFolder(path);
    answer = await tryLock(join(path, ".lock"));
  } catch (error) {
    const problem =
      error instanceof FileError ? error.problem.replace(/\.$/, "") : `cannot be written (${String(error)})`;
    throw new TrainerError(`The run directory ${path} ${problem}: give another --out.`, { cause: error });
  }
  if ("lock" in answer) return answer.lock;
  const who = answer.holder === undefined ? "" : ` (process ${answer.holder.pid})`;
  throw new TrainerError(
    `The run directory ${path} is in use by another run${who}: wait for it, or give another --out.`,
  );
}

/** Deletes unfinished files of a killed run; they have temporary names. */
async function sweep({ path, checkpoints, model }: RunDirectory): Promise<void> {
  for (const folder of [path, checkpoints, model]) {
    if (!(await exists(folder))) continue;
    const names = (await readdir(folder)).filter(isTemporary);
    await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true })));
  }
}

async function holdsRun({ history, model, checkpoints }: RunDirectory): Promise<boolean> {
  return (await exists(history)) || (await exists(model)) || (await listCheckpoints(checkpoints)).length > 0;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
