import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { errnoOf } from "./file-error.ts";

/** Which process something belongs to, told apart from every other one, also on machines that share a disk. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process began, in the machine's own count: numbers of processes are given out again. Null where unknown. */
  readonly began: string | null;
  /** The machine's name, its last start, and the container: where `pid` has a meaning. */
  readonly machine: string;
}

/** This process. */
export async function thisProcess(): Promise<ProcessIdentity> {
  const { pid } = process;
  return { pid, began: (await stateOf(pid))?.began ?? null, machine: await thisMachine() };
}

/** True while that process runs, false once it has ended; undefined for a process of another machine or container. */
export async function isRunning({ pid, began, machine }: ProcessIdentity): Promise<boolean | undefined> {
  if (machine !== (await thisMachine())) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process is there, and belongs to another user.
    if (errnoOf(error) !== "EPERM") return false;
  }
  const now = await stateOf(pid);
  return now === undefined || (now.state !== "Z" && (began === null || now.began === began));
}

async function thisMachine(): Promise<string> {
  const [boot, container] = await Promise.all([
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
    readlink("/proc/self/ns/pid").catch(() => ""),
  ]);
  return [hostname(), boot.trim(), container].join(" ");
}

/** What Linux tells of a process: its state (`Z`: ended, not yet waited for) and when it began; undefined on other systems. */
async function stateOf(pid: number): Promise<{ state: string; began: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field, the program's name in brackets, may itself hold brackets and spaces.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, began] = [fields?.[0], fields?.[19]];
  return state === undefined || began === undefined ? undefined : { state, began };
}
