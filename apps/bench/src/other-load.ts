import { readFileSync } from "node:fs";
import { cpus } from "node:os";

const ticksPerSecond = 100;

/**
 * The share of the machine that others used between two moments, 0 to 1: the busy and stolen time of all cores, less that
 * of this process and of the one that is measured. Undefined where the system does not tell (it reads Linux' /proc).
 */
export class OtherLoad {
  private readonly start = moment();
  private readonly pid: number | undefined;
  private readonly own: number;

  constructor(pid: number | undefined) {
    this.pid = pid;
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
    return processSeconds(process.pid) + (this.pid === undefined ? 0 : processSeconds(this.pid));
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

/** CPU time of a process, all its threads and the children it has waited for. */
function processSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) / ticksPerSecond;
  } catch {
    return 0;
  }
}
