/** A signal for the first Ctrl-C (or SIGTERM); the second one exits at once. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** The exit status of the process: 128 and the signal's number, which is 130 for Ctrl-C and 143 for SIGTERM. */
  readonly status: number;
  /** Restores Node's handling of the signals. */
  release(): void;
}

/** Starts to listen for Ctrl-C and SIGTERM. */
export function listenForInterrupt(): Interruption {
  const controller = new AbortController();
  let status = 0;
  const onSignal = (_name: NodeJS.Signals, number: number) => {
    if (controller.signal.aborted) process.exit(128 + number);
    status = 128 + number;
    controller.abort(new Error("interrupted"));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    get status() {
      return status;
    },
    release: () => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal),
  };
}
