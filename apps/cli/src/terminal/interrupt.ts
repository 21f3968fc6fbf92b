/** A signal for the first Ctrl-C (or SIGTERM); the second one exits at once. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** The exit status of the process: 128 and the signal's number, which is 130 for Ctrl-C and 143 for SIGTERM. */
  readonly status: number;
  /** Says that the command saves its work, or its answers, before it ends, and may take the time for it. */
  savesFirst(): void;
  /** Restores Node's handling of the signals. */
  release(): void;
}

/** Milliseconds in which a command that has nothing to save ends by itself. */
const grace = 1000;

/**
 * Starts to listen for Ctrl-C and SIGTERM. A command that does not end within a second of the first one, and that has not said
 * that it saves its work first, is ended.
 */
export function listenForInterrupt(): Interruption {
  const controller = new AbortController();
  let status = 0;
  let isSaving = false;
  let end: NodeJS.Timeout | undefined;
  const onSignal = (_name: NodeJS.Signals, number: number) => {
    if (controller.signal.aborted) process.exit(128 + number);
    status = 128 + number;
    if (!isSaving) end = setTimeout(() => process.exit(status), grace).unref();
    controller.abort(new Error("interrupted"));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    get status() {
      return status;
    },
    savesFirst: () => void (isSaving = true),
    release() {
      clearTimeout(end);
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    },
  };
}
