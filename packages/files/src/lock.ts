import { createHash, randomBytes } from "node:crypto";
import { link, readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkOptions, type OptionNames } from "@convkit/errors";
import { errnoOf, unwritable } from "./file-error.ts";
import { makeFolder } from "./make-folder.ts";
import { isRunning, type ProcessIdentity, thisProcess } from "./process-identity.ts";
import { finalName } from "./final-name.ts";
import { temporaryName } from "./temporary-name.ts";

/*
 * A lock is a file with its holder's identity. The holder touches the file every five seconds. The file of a dead holder is not
 * removed by those who wait, since two of them could do it one after the other, and the second would remove the lock of the first.
 * Instead the successor of a holder creates `<lock>.after-<hash of the holder's file>`, which only one process can do. A lock is
 * thus a chain: the file, the successor of its holder, the successor of that one; the last one holds the lock. A successor that finds
 * itself at the end of the chain writes itself over the first file and removes the others.
 */

/** Who holds a lock, as far as its file tells; undefined where the file does not. */
export type LockHolder = ProcessIdentity | undefined;

/** A lock that this process holds. */
export interface Lock {
  /** Aborts where another process took the lock over, because this one had been silent for too long. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface LockOptions {
  /** Ends the wait with the signal's reason; by default the wait has no end. */
  readonly signal?: AbortSignal | undefined;
  /** Called once, with the holder, where somebody else holds the lock; none by default. */
  readonly onWait?: ((holder: LockHolder) => void) | undefined;
}

const optionNames: OptionNames<LockOptions> = { signal: true, onWait: true };

/** Milliseconds between two touches of a holder, and of silence after which a holder on another machine counts as dead. */
const heartbeat = 5000;
const silence = 30_000;

/**
 * Takes the lock file at `path`, or tells who holds it. A lock whose process has ended is taken over at once where that can be seen, as
 * on the same machine; a lock of another machine or container once it was not touched for 30 seconds. Throws a FileError where the file
 * cannot be written.
 */
export async function tryLock(path: string): Promise<{ lock: Lock } | { holder: LockHolder }> {
  const own = JSON.stringify({ ...(await thisProcess()), id: randomBytes(8).toString("hex") });
  try {
    for (;;) {
      if (await createWhole(path, own)) return { lock: held(path, own) };
      const last = await lastOf(path);
      if (last === undefined) continue;
      if (!(await isDead(last))) return { holder: holderIn(last.content) };
      if (await succeed(path, last.content, own)) return { lock: held(path, own) };
    }
  } catch (error) {
    throw unwritable(path, error);
  }
}

/**
 * Does `work` while no other process holds the lock file at `path`, whose folder is made where it is missing. `work` gets a signal that
 * aborts with `options.signal`, or where the lock was lost. Throws what `work` throws, and a FileError where the file cannot be written.
 */
export async function withLock<Result>(
  path: string,
  work: (signal: AbortSignal) => Promise<Result>,
  options: LockOptions = {},
): Promise<Result> {
  checkOptions("withLock", options, optionNames);
  const { signal, onWait } = options;
  await makeFolder(dirname(path)).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  for (let waits = 0; ; waits++) {
    signal?.throwIfAborted();
    const answer = await tryLock(path);
    if ("lock" in answer) {
      const { lost, release } = answer.lock;
      try {
        return await work(signal === undefined ? lost : AbortSignal.any([signal, lost]));
      } finally {
        await release();
      }
    }
    if (waits === 0) onWait?.(answer.holder);
    // Sooner at first: most locks are held for a moment. The random part keeps many that wait from asking at once.
    await sleep(Math.min(20 * (waits + 1), 250) * (0.5 + Math.random()));
  }
}

/** What the files of locks say that this process released but could not remove. */
const released = new Set<string>();

/** Keeps a taken lock alive. */
function held(path: string, own: string): Lock {
  const lost = new AbortController();
  const isOurs = async () => (await contentOf(path)) === own && (await contentOf(successorOf(path, own))) === undefined;
  const beat = async () => {
    if (await isOurs()) await utimes(path, new Date(), new Date());
    else lost.abort(new Error(`The lock ${path} was taken over by another process.`));
  };
  // A disk that does not answer for a moment is no reason to stop.
  const timer = setInterval(() => void beat().catch(() => undefined), heartbeat).unref();
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer);
      if (lost.signal.aborted) return;
      try {
        if (await isOurs()) await rm(path, { force: true });
      } catch {
        // The disk became read-only, or is gone. The work under the lock is done, and its result or error counts.
        released.add(own);
      }
    },
  };
}

interface Link {
  readonly path: string;
  readonly content: string;
}

/** The last file of the chain; undefined where nobody holds the lock. */
async function lastOf(path: string): Promise<Link | undefined> {
  const content = await contentOf(path);
  if (content === undefined) return undefined;
  let last: Link = { path, content };
  for (;;) {
    const next: string = successorOf(path, last.content);
    const following = await contentOf(next);
    if (following === undefined) return last;
    last = { path: next, content: following };
  }
}

/** Makes this process the successor of a dead holder; false where another one was first. */
async function succeed(path: string, dead: string, own: string): Promise<boolean> {
  const place = successorOf(path, dead);
  if (!(await createWhole(place, own))) return false;
  // The lock may have been released and taken anew since `dead` was read: then nothing leads here.
  if ((await lastOf(path))?.content !== own) {
    await rm(place, { force: true });
    return false;
  }
  const temporary = temporaryName(path);
  await writeFile(temporary, own);
  await rename(temporary, path);
  await removeLeftovers(path);
  return true;
}

/** Removes the files of former successors, and what killed processes were writing. */
async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    const at = join(folder, name);
    const isSuccessor = name.startsWith(`${basename(path)}.after-`);
    const isUnfinished = finalName(name)?.startsWith(basename(path)) === true && (await silentFor(at)) > silence;
    if (isSuccessor || isUnfinished) await rm(at, { force: true });
  }
}

function successorOf(path: string, content: string): string {
  return `${path}.after-${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
}

async function isDead({ path, content }: Link): Promise<boolean> {
  if (released.has(content)) return true;
  const holder = holderIn(content);
  const running = holder && (await isRunning(holder));
  return running === undefined ? (await silentFor(path)) > silence : !running;
}

async function silentFor(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
}

/** Creates a file with its content in one step; false where it is there already. */
async function createWhole(path: string, content: string): Promise<boolean> {
  const temporary = temporaryName(path);
  try {
    await writeFile(temporary, content, { flag: "wx" });
    await link(temporary, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    if (["EPERM", "ENOTSUP", "ENOSYS", "EOPNOTSUPP"].includes(errnoOf(error) ?? "")) return create(path, content);
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The same for disks without hard links: for a moment the file is empty, which counts as a holder that cannot be asked. */
async function create(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: "wx" });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

function holderIn(text: string): LockHolder {
  try {
    const { pid, began, machine } = JSON.parse(text) as Partial<ProcessIdentity>;
    if (typeof pid !== "number" || typeof machine !== "string") return undefined;
    return { pid, began: typeof began === "string" ? began : null, machine };
  } catch {
    return undefined;
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  });
}
