import type { Callback } from "./callback.ts";

export interface WebhookOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds after which an answer is no longer waited for. */
  readonly timeout?: number;
  /** Hears of messages that did not arrive; a run never ends because of them. */
  readonly onError?: (error: Error) => void;
}

/** Posts JSON to a URL: `{ event: "begin" }`, `{ event: "epoch", … }` with the epoch's numbers, `{ event: "end", … }`. */
export function webhook(url: string, options: WebhookOptions = {}): Callback {
  const { headers = {}, timeout = 5000, onError } = options;
  const post = async (message: object) => {
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(message),
        signal: AbortSignal.timeout(timeout),
      });
      if (!answer.ok) throw new Error(`${url} answered ${answer.status} ${answer.statusText}.`);
    } catch (error) {
      onError?.(error as Error);
    }
  };
  return {
    onTrainBegin: ({ out, epochs }) => post({ event: "begin", run: out ?? null, epochs }),
    onEpochEnd: (_epoch, logs) => post({ event: "epoch", ...logs }),
    onTrainEnd: ({ step, stopReason }) => post({ event: "end", steps: step, stopReason: stopReason ?? null }),
  };
}
