import { checkOptions, type OptionNames } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";
import type { Callback, Training } from "./callback.ts";

/** Options of `webhook`. */
export interface WebhookOptions {
  /** Headers of each message besides its content type; none by default. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds to wait for an answer; 5000 by default. An interrupted training waits 1000 at most, for its last message alone. */
  readonly timeout?: number | undefined;
  /** Called for each message that did not arrive; none by default. A failed message never ends a run. */
  readonly onError?: ((error: Error) => void) | undefined;
}

const optionNames: OptionNames<WebhookOptions> = { headers: true, timeout: true, onError: true };

/** Posts JSON to a URL: `{ event: "begin" }`, `{ event: "epoch", … }` with the epoch's numbers, `{ event: "end", … }`, or `{ event: "error", message }`. */
export function webhook(url: string, options: WebhookOptions = {}): Callback {
  checkOptions("webhook", options, optionNames, (message) => new TrainerError(message));
  const { headers = {}, timeout = 5000, onError } = options;
  const post = async (message: object, { signal }: Training) => {
    const wait = AbortSignal.timeout(signal.aborted ? Math.min(timeout, 1000) : timeout);
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(message),
        signal: signal.aborted ? wait : AbortSignal.any([wait, signal]),
      });
      // Nobody reads it, and it may have no end.
      await answer.body?.cancel();
      if (!answer.ok) throw new TrainerError(`${url} answered ${answer.status} ${answer.statusText}.`);
    } catch (error) {
      onError?.(error as Error);
    }
  };
  return {
    onTrainBegin: (training) => post({ event: "begin", run: training.out ?? null, epochs: training.epochs }, training),
    onEpochEnd: (_epoch, logs, training) => post({ event: "epoch", ...logs }, training),
    onTrainEnd: (training) =>
      post({ event: "end", steps: training.step, stopReason: training.stopReason ?? null }, training),
    onTrainError: (error, training) =>
      post({ event: "error", message: error instanceof Error ? error.message : String(error) }, training),
  };
}
