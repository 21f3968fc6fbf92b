/** Requests that wait until something changes. */
export interface Waiters {
  /** How many wait now. */
  readonly size: number;
  /** Resolves at the next `wake`; rejects with the signal's reason once that aborts. */
  wait(signal: AbortSignal): Promise<void>;
  /** Lets all go on. */
  wake(): void;
}

export function createWaiters(): Waiters {
  const waiting = new Set<() => void>();
  return {
    get size() {
      return waiting.size;
    },
    wait: (signal) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          waiting.delete(onWake);
          signal.removeEventListener("abort", onAbort);
        };
        const onWake = (): void => (end(), resolve());
        const onAbort = (): void => (end(), reject(signal.reason as Error));
        if (signal.aborted) return onAbort();
        waiting.add(onWake);
        signal.addEventListener("abort", onAbort, { once: true });
      }),
    wake() {
      for (const onWake of waiting) onWake();
    },
  };
}
