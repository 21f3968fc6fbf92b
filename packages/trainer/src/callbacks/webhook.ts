import { checkOptions, type OptionNames } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";
import type { Callback } from "./callback.ts";

/** Options of `webhook`. */
export interface WebhookOptions {
  /** Headers of each message besides its content type; none by default. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds to wait for an answer; 5000 by default. */
  readonly timeout?: number | undefined;
  /** Called for each message that did not arrive; none by default. A failed message never ends a run. */
  readonly onError?: ((error: Error) => void) | undefined;
}

const optionNames: OptionNames<WebhookOptions> = { headers: true, timeout: true, onError: true };

/** Posts JSON to a URL: `{ event: "begin" }`, `{ event: "epoch", … }` with the epoch's numbers, `{ event: "end", … }`. */
export function webhook(url: string, options: WebhookOptions = {}): Callback {
  checkOptions("webhook", options, optionNames, (message) => new TrainerError(message));
  const { headers = {}, timeout = 5000, onError } = options;
  const post = async (message: object) => {
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(message),
        signal: AbortSignal.timeout(timeout),
      });
      if (!answer.ok) throw new TrainerError(`${url} answered ${answer.status} ${answer.statusText}.`);
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
