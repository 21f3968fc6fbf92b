import { TrainerError } from "../../trainer-error.ts";
import type * as node from "../terminal.ts";

export type ProgressBar = node.ProgressBar;

/** Nobody follows a page's console unless asked to. */
export function isTerminal(): boolean {
  return false;
}

/** Writes a line to the console. */
export function writeLine(text: string): void {
  console.log(text);
}

/** False: a console shows lines, and none moves. */
export function isLiveTerminal(): boolean {
  return false;
}

/** Throws TrainerError: a page has no terminal. */
export function progressBar(_format: string): ProgressBar {
  throw new TrainerError(
    "A web page has no terminal for a progress bar: leave bar out, or use onTrainBatchEnd to draw one.",
  );
}
