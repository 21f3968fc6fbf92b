import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** A lock that its owner has not touched for so long, in ms, has none any more. */
const stale = 30_000;

/** Does `work` while no other process holds the lock file; a lock whose owner has died is taken over. */
export async function withLock<Result>(
  file: string,
  work: () => Promise<Result>,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Result> {
  while (!(await take(file))) {
    if (await isAbandoned(file)) await rm(file, { force: true });
    else await sleep(200, undefined, { signal });
  }
  const touch = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => {}), stale / 6);
  touch.unref();
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx");
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Its process is gone; or its number now belongs to another process, or one on another machine, and nobody touches the file. */
async function isAbandoned(file: string): Promise<boolean> {
  try {
    const owner = Number(await readFile(file, "utf8"));
    const { mtimeMs } = await stat(file);
    return Date.now() - mtimeMs > stale || (owner > 0 && !isAlive(owner));
  } catch {
    // Gone in the meantime: the next try takes it.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
