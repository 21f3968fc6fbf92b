import cliProgress from "cli-progress";

/** A bar on standard error. */
export type ProgressBar = cliProgress.SingleBar;

/** Whether somebody reads standard error as it comes. */
export function isTerminal(): boolean {
  return process.stderr.isTTY;
}

/** Writes a line to standard error. */
export function writeLine(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** True if a bar can move on standard error: a terminal that can move its cursor. */
export function isLiveTerminal(): boolean {
  return process.stderr.isTTY && process.env["TERM"] !== "dumb";
}

/**
 * A bar with the fields that `format` names in braces; it is gone when it stops. A narrow terminal cuts it off. It stops when the process
 * exits, too: it hides the cursor and turns off line wrapping while it moves.
 */
export function progressBar(format: string): ProgressBar {
  const look = { barsize: 24, clearOnComplete: true, hideCursor: true, fps: 8, stream: process.stderr };
  const bar = new cliProgress.SingleBar({ format, ...look, gracefulExit: false }, cliProgress.Presets.shades_classic);
  const stop = (): void => bar.stop();
  bar.on("start", () => process.on("exit", stop));
  bar.on("stop", () => process.off("exit", stop));
  return bar;
}
