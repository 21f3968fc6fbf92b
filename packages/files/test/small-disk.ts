import { execFileSync, spawnSync } from "node:child_process";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./temporary.ts";

/** True where this user may mount a disk of memory: as root on Linux. */
export const canMount =
  process.platform === "linux" &&
  spawnSync("sh", ["-c", "d=$(mktemp -d) && mount -t tmpfs none $d && umount $d; s=$?; rmdir $d; exit $s"]).status ===
    0;

/** A folder that is a disk of its own, of so many bytes; gone when the test is over. */
export function smallDisk(bytes: number): { folder: string; makeReadOnly(): void; makeWritable(): void } {
  const folder = temporaryFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "none", folder]);
  onTestFinished(() => void execFileSync("umount", [folder]));
  const remount = (how: "ro" | "rw") => void execFileSync("mount", ["-o", `remount,${how}`, folder]);
  return { folder, makeReadOnly: () => remount("ro"), makeWritable: () => remount("rw") };
}
