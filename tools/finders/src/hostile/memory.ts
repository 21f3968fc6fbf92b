import { readFileSync, writeFileSync } from "node:fs";

/** Bytes of memory that a process has now, or had at most since `resetPeak`; 0 on systems without /proc. */
export function rss(when: "now" | "peak" = "now", pid: number | "self" = "self"): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const line = when === "peak" ? /^VmHWM:\s+(\d+) kB$/m : /^VmRSS:\s+(\d+) kB$/m;
    return Number(line.exec(text)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Begins to measure the peak anew. */
export function resetPeak(): void {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // Not Linux, or not allowed: the peak is then that of the whole process.
  }
}

/** Seconds of the processor that a process has had so far; 0 on systems without /proc. */
export function cpuSeconds(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
