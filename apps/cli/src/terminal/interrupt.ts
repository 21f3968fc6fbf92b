/** A signal for the first Ctrl-C (or SIGTERM); the second one exits at once with status 130. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Restores Node's handling of the signals. */
  release(): void;
}

/** Starts to listen for Ctrl-C and SIGTERM. */
export function listenForInterrupt(): Interruption {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error("interrupted"));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    release: () => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal),
  };
}
