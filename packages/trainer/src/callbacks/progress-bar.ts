import cliProgress from "cli-progress";

/** A bar on standard error. */
export type ProgressBar = cliProgress.SingleBar;

/** A bar with the fields that `format` names in braces; it is gone when it stops. */
export function progressBar(format: string): ProgressBar {
  const look = { barsize: 24, clearOnComplete: true, hideCursor: true, fps: 8, stream: process.stderr };
  return new cliProgress.SingleBar({ format, ...look, gracefulExit: false }, cliProgress.Presets.shades_classic);
}
