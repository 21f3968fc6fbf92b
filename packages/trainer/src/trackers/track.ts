import { basename, warn } from "@convkit/files/system";
import { aboveZero, checkOptions, type OptionNames, wholeFromZero } from "@convkit/errors";
import type { Callback, Training } from "../callbacks/callback.ts";
import { throwProblems, valueProblems } from "../checks/fields.ts";
import { TrainerError } from "../trainer-error.ts";
import type { TrackedEnd, Tracker } from "./tracker.ts";

/** Options of `track`. */
export interface TrackOptions {
  /** The run's name; by default that of its directory, else of the model. */
  readonly name?: string | undefined;
  /** Settings to show beside the numbers; none by default. */
  readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Steps between numbers within an epoch; 0, the default, sends those of epochs alone. */
  readonly everySteps?: number | undefined;
  /** Milliseconds that one message may take, and that the training waits for the last ones at its end; 10,000 by default. Of an interrupted training 1,000 at most. */
  readonly timeout?: number | undefined;
  /** Takes the one warning of a tracker that fails; a warning of the process by default. */
  readonly onNote?: ((note: string) => void) | undefined;
}

const optionNames: OptionNames<TrackOptions> = {
  name: true,
  settings: true,
  everySteps: true,
  timeout: true,
  onNote: true,
};

/** What the names of trackers' states in checkpoints begin with. */
export const trackPrefix = "track ";

/** Messages that may wait for a slow tracker; the training goes on, and later ones are left out. */
const mostWaiting = 1000;

/**
 * Sends the numbers of a training to a tracker, one message after the other, while the training goes on. A tracker that fails, or that is so slow that
 * messages pile up, is told of once and gets no more messages; the training never waits for it but at its end, at most
 * `timeout`. A resumed training goes on with the tracker's run, by the id in its checkpoint. Throws a `TrainerError` for invalid options.
 */
export function track(tracker: Tracker, options: TrackOptions = {}): Callback {
  checkOptions("track", options, optionNames, (message) => new TrainerError(message));
  const { settings = {}, everySteps = 0, timeout = 10_000 } = options;
  const { onNote = warn } = options;
  throwProblems([
    ...valueProblems("everySteps", everySteps, wholeFromZero),
    ...valueProblems("timeout", timeout, aboveZero),
  ]);
  let id: string | undefined;
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  let hasFailed = false;
  const stopped = new AbortController();
  const fail = (why: string) => {
    if (hasFailed) return;
    hasFailed = true;
    stopped.abort();
    onNote(`The tracker ${tracker.name} ${why}: it gets no more numbers of this run, and the training goes on.`);
  };
  const send = (message: (signal: AbortSignal) => Promise<void>) => {
    if (hasFailed) return;
    if (waiting >= mostWaiting) return fail(`is behind by ${mostWaiting} messages`);
    waiting += 1;
    last = last.then(async () => {
      if (!hasFailed)
        try {
          await within(message, timeout, stopped.signal);
        } catch (error) {
          fail(`failed (${reasonOf(error)})`);
        }
      waiting -= 1;
    });
  };
  const end = async (how: TrackedEnd): Promise<void> => {
    const wait = how === "interrupted" ? Math.min(timeout, 1000) : timeout;
    send((signal) => tracker.end(how, signal));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        fail(`did not take the last messages within ${wait / 1000} s`);
        resolve();
      }, wait);
    });
    await Promise.race([last, late]);
    clearTimeout(timer);
  };
  return {
    name: `${trackPrefix}${tracker.name}`,
    state: () => ({ id: id ?? null }),
    restore(state) {
      id = (state as { readonly id: string | null }).id ?? undefined;
    },
    onTrainBegin(training) {
      const name = options.name ?? (training.out === undefined ? training.model.name : basename(training.out));
      const texts = { epochs: training.epochs, stepsPerEpoch: training.stepsPerEpoch, ...settings };
      const told = Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, String(value)]));
      // A callback that is used for another training begins a new run.
      const before = training.step > 0 ? id : undefined;
      send(async (signal) => {
        const begun = await tracker.start(
          { name, settings: told, ...(before !== undefined && { id: before }) },
          signal,
        );
        id = begun ?? undefined;
      });
    },
    onTrainBatchEnd(_batch, { stepLoss, lr }, { step }) {
      if (everySteps === 0 || step % everySteps !== 0) return;
      const values = finite({ step_loss: stepLoss, step_lr: lr });
      send((signal) => tracker.log(values, step, signal));
    },
    onEpochEnd(_epoch, { epoch, loss, accuracy, valLoss, valAccuracy, lr, metrics }, { step }) {
      const own = { epoch, loss, accuracy, val_loss: valLoss, val_accuracy: valAccuracy, lr, ...metrics };
      const values = finite(own);
      send((signal) => tracker.log(values, step, signal));
    },
    onTrainEnd: ({ stopReason, signal }: Training) =>
      end(signal.aborted ? "interrupted" : stopReason?.includes("not finite") ? "failed" : "finished"),
    onTrainError: () => end("failed"),
  };
}

/** Trackers take finite numbers: JSON has no others. */
function finite(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const entries = Object.entries(values).filter((entry): entry is [string, number] => Number.isFinite(entry[1]));
  return Object.fromEntries(entries);
}

/** Runs a message, which may ignore its signal, for at most `timeout` milliseconds. */
async function within(
  message: (signal: AbortSignal) => Promise<void>,
  timeout: number,
  stopped: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([AbortSignal.timeout(timeout), stopped]);
  await Promise.race([
    message(signal),
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    }),
  ]);
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const deeper = cause instanceof Error ? cause.message : undefined;
  return (deeper ?? message).replace(/\.$/, "");
}
