import { progressBar } from "@convkit/trainer/internal";
import type { Output } from "./output.ts";

export interface CountingBar {
  update(value: number): void;
  stop(): void;
}

/** A bar that counts up to a total; draws nothing if the output is not a terminal. */
export function countingBar(out: Output, total: number, unit: string): CountingBar {
  if (!out.live || !Number.isFinite(total)) return { update() {}, stop() {} };
  const bar = progressBar(`{bar} {value}/{total} ${unit}`);
  bar.start(total, 0);
  return { update: (value) => bar.update(value), stop: () => bar.stop() };
}
