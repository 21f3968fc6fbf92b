import { rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import lockfile from "proper-lockfile";

/** A lock that nobody touched for so long, in milliseconds, has a dead holder. */
const stale = 10_000;
/** How often a living holder touches its lock. */
const update = 2000;

/**
 * Runs `work` while no other process does so on the same folder. A lock whose holder died is taken over after ten seconds
 * (a living holder touches its lock). `onWait` is called once if somebody else is at work.
 */
export async function withLock<T>(
  folder: string,
  name: string,
  work: (signal: AbortSignal) => Promise<T>,
  { signal, onWait }: { signal?: AbortSignal | undefined; onWait?: () => void } = {},
): Promise<T> {
  const lost = new AbortController();
  const release = await acquire(path.join(folder, name), lost, signal, onWait);
  try {
    return await work(signal ? AbortSignal.any([signal, lost.signal]) : lost.signal);
  } finally {
    // A lock that was lost is not ours to remove.
    if (!lost.signal.aborted) await release();
  }
}

async function acquire(
  file: string,
  lost: AbortController,
  signal?: AbortSignal,
  onWait?: () => void,
): Promise<() => Promise<void>> {
  for (let waited = false; ;) {
    signal?.throwIfAborted();
    const onCompromised = (error: Error) => lost.abort(error);
    // Two that find a dead holder's lock at once must not both take it over, as they would if this call did it.
    const release = await tryLock(file, { stale: Number.POSITIVE_INFINITY, onCompromised });
    if (release) return release;
    if (await isStale(file)) await removeStale(file);
    else {
      if (!waited) onWait?.();
      waited = true;
      await sleep(250, undefined, signal ? { signal } : {});
    }
  }
}

/** Takes the lock if it is free. */
async function tryLock(
  file: string,
  options: { stale: number; onCompromised?: (error: Error) => void },
): Promise<(() => Promise<void>) | undefined> {
  try {
    return await lockfile.lock(file, { realpath: false, update, ...options });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOCKED") return undefined;
    throw error;
  }
}

async function isStale(file: string): Promise<boolean> {
  const folder = await stat(`${file}.lock`).catch(() => undefined);
  return folder !== undefined && folder.mtimeMs < Date.now() - stale;
}

/** Removes a dead holder's lock. One process at a time looks and removes, so that none removes a lock that is new. */
async function removeStale(file: string): Promise<void> {
  const release = await tryLock(`${file}.takeover`, { stale });
  if (!release) return;
  try {
    if (await isStale(file)) await rmdir(`${file}.lock`).catch(() => undefined);
  } finally {
    await release();
  }
}
