import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";

const ticksPerSecond = 100;

/**
 * Measures the share of the machine that other processes used between two moments, 0 to 1: the busy and stolen time of
 * all cores, minus the time of this process and of the measured process group. Undefined on systems without Linux'
 * /proc.
 */
export class OtherLoad {
  private readonly start = moment();
  private readonly group: number | undefined;
  private readonly own: number;

  constructor(group: number | undefined) {
    this.group = group;
    this.own = this.ours();
  }

  share(): number | undefined {
    const end = moment();
    if (this.start === undefined || end === undefined) return undefined;
    const seconds = (end.at - this.start.at) / 1000;
    const others = end.busy - this.start.busy - (this.ours() - this.own);
    return Math.min(1, Math.max(0, others / (seconds * cpus().length)));
  }

  private ours(): number {
    return processSeconds(process.pid) + (this.group === undefined ? 0 : groupSeconds(this.group));
  }
}

/** Seconds of all cores that were neither idle nor waiting for a disk; time stolen by the hypervisor counts as busy. */
function moment(): { at: number; busy: number } | undefined {
  try {
    const [user, nice, system, , , irq, softirq, steal] = readFileSync("/proc/stat", "utf8")
      .split("\n", 1)[0]!
      .split(/\s+/)
      .slice(1)
      .map(Number);
    const ticks = user! + nice! + system! + irq! + softirq! + steal!;
    return { at: performance.now(), busy: ticks / ticksPerSecond };
  } catch {
    return undefined;
  }
}

/** CPU time of a process group: a driver leads the group, and its workers belong to it. */
export function groupSeconds(group: number): number {
  if (!existsSync("/proc/self/stat")) return 0;
  const members = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && processStat(name)?.[2] === String(group));
  return members.reduce((sum, pid) => sum + processSeconds(pid), 0);
}

/** CPU time of a process, all its threads and the children it has waited for. */
function processSeconds(pid: number | string): number {
  const stat = processStat(pid);
  return stat === undefined
    ? 0
    : [11, 12, 13, 14].reduce((sum, index) => sum + Number(stat[index]), 0) / ticksPerSecond;
}

/** The fields of `/proc/<pid>/stat` after the name: state, parent, process group … */
function processStat(pid: number | string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
