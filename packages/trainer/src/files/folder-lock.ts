import { readFile, readlink, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import { writeFileAtomic } from "./atomic-file.ts";

/** Who holds a lock, as its file says. */
export interface Holder {
  readonly pid: number;
  /** When that process began, in the machine's own count: numbers of processes are given out again. */
  readonly began: string | null;
  /** The machine, since when it runs, and the container: where the process has this number. */
  readonly machine: string;
}

/** Milliseconds between signs of life, and of silence after which a holder that cannot be asked is taken for dead. */
const beat = 5000;
const silence = 30_000;

/**
 * Takes the lock file at `path` for this process and returns the release, or who holds it. A lock whose process is gone is
 * taken over at once where that can be seen, as on the machine it ran on; else when it has been silent for half a minute.
 */
export async function takeLock(path: string): Promise<(() => Promise<void>) | Holder> {
  const own = JSON.stringify(await thisProcess());
  for (;;) {
    try {
      await writeFile(path, own, { flag: "wx" });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const found = await contentOf(path);
    if (found === undefined) continue;
    const holder = holderIn(found);
    if (!(await isGone(path, holder))) return holder ?? { pid: 0, began: null, machine: "" };
    if (await takeOver(path, found, own)) break;
    await setTimeout(10);
  }
  const heart = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), beat).unref();
  return async () => {
    clearInterval(heart);
    if ((await contentOf(path)) === own) await rm(path, { force: true });
  };
}

/** Puts `own` in the place of a dead holder's file, one process at a time; tells whether it is done. */
async function takeOver(path: string, dead: string, own: string): Promise<boolean> {
  const turn = `${path}.turn`;
  try {
    await writeFile(turn, own, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const other = await contentOf(turn);
    if (other !== undefined && (await isGone(turn, holderIn(other)))) await rm(turn, { force: true });
    return false;
  }
  try {
    if ((await contentOf(path)) !== dead) return false;
    await writeFileAtomic(path, own);
    return true;
  } finally {
    await rm(turn, { force: true });
  }
}

async function isGone(path: string, holder: Holder | undefined): Promise<boolean> {
  const here = await thisMachine();
  if (holder?.machine === here) return !(await runs(holder));
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
  return Date.now() - mtimeMs > silence;
}

/** Whether a process of this machine is still the one that wrote its number. */
async function runs({ pid, began }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Of another user, but there.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = await processState(pid);
  return now === undefined || (now.state !== "Z" && (began === null || now.began === began));
}

async function thisProcess(): Promise<Holder> {
  const { pid } = process;
  return { pid, began: (await processState(pid))?.began ?? null, machine: await thisMachine() };
}

async function thisMachine(): Promise<string> {
  const [boot, container] = await Promise.all([
    contentOf("/proc/sys/kernel/random/boot_id"),
    readlink("/proc/self/ns/pid").catch(() => ""),
  ]);
  return [hostname(), boot?.trim() ?? "", container].join(" ");
}

/** What Linux tells of a process: its state (`Z` for one that has ended) and when it began; undefined elsewhere. */
async function processState(pid: number): Promise<{ state: string; began: string } | undefined> {
  const text = await contentOf(`/proc/${pid}/stat`);
  // The name before the last bracket may hold anything.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields && { state: fields[0]!, began: fields[19]! };
}

function holderIn(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  });
}
