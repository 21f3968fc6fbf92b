import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import lockfile from "proper-lockfile";

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
    try {
      return await lockfile.lock(file, {
        realpath: false,
        stale: 10_000,
        update: 2000,
        onCompromised: (error) => lost.abort(error),
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
    }
    if (!waited) onWait?.();
    waited = true;
    await sleep(250, undefined, signal ? { signal } : {});
  }
}
