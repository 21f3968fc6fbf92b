import { type Callback, showProgress } from "@convkit/trainer";
import type { Output } from "../terminal/output.ts";

/** The progress of a training: an event per epoch for `--json`, else lines and a bar. */
export function trainingProgress(out: Output): Callback {
  if (out.json) return { onEpochEnd: (_epoch, logs) => out.event({ event: "epoch", ...logs }) };
  return showProgress({ line: (text) => out.note(text), bar: out.live });
}
