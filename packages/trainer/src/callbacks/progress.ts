import { checkOptions, type OptionNames } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";
import { isLiveTerminal, type ProgressBar, progressBar, writeLine } from "@convkit/trainer/platform";
import type { Callback } from "./callback.ts";

/** Options of `showProgress`. */
export interface ProgressOptions {
  /** Takes the line of each epoch; standard error by default. */
  readonly line?: ((text: string) => void) | undefined;
  /** Whether a bar moves on standard error during an epoch; by default if that is a terminal whose cursor moves. */
  readonly bar?: boolean | undefined;
}

const optionNames: OptionNames<ProgressOptions> = { line: true, bar: true };

/**
 * Shows the progress of a training: one line per epoch, and on a terminal a bar with loss, accuracy, images per second
 * and time left. Throws a `TrainerError` for unknown options.
 */
export function showProgress(options: ProgressOptions = {}): Callback {
  checkOptions("showProgress", options, optionNames, (message) => new TrainerError(message));
  const { line = writeLine, bar: draws = isLiveTerminal() } = options;
  let bar: ProgressBar | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    onEpochBegin(epoch, training) {
      if (!draws || !Number.isFinite(training.stepsPerEpoch)) return;
      bar = progressBar(
        `epoch ${epoch}/${training.epochs} {bar} {percentage} % | loss {loss}{accuracy} | {rate} images/s | {left} left`,
      );
      bar.start(training.stepsPerEpoch, 0, { loss: "-", accuracy: "", rate: "-", left: "-" });
    },
    onTrainBatchEnd(_batch, logs, training) {
      bar?.update(logs.batch, {
        loss: logs.loss.toFixed(4),
        accuracy: accuracyText(" | accuracy", logs.accuracy),
        rate: String(Math.round(logs.imagesPerSecond)),
        left: duration(((training.stepsPerEpoch - logs.batch) * logs.size) / logs.imagesPerSecond),
      });
    },
    onTestBegin: stop,
    onEpochEnd(_epoch, logs, training) {
      stop();
      const validation =
        logs.valLoss === undefined
          ? ""
          : ` | val loss ${logs.valLoss.toFixed(4)}${accuracyText(" | val accuracy", logs.valAccuracy)}`;
      const metrics = Object.entries(logs.metrics ?? {}).map(
        ([name, value]) => ` | ${name.replace(/^val_/, "val ")} ${Number(value.toPrecision(4))}`,
      );
      line(
        `epoch ${logs.epoch}/${training.epochs} | loss ${logs.loss.toFixed(4)}${accuracyText(" | accuracy", logs.accuracy)}${validation}${metrics.join("")} | lr ${Number(logs.lr.toPrecision(4))} | ${duration(logs.seconds)}`,
      );
    },
    onTrainEnd: stop,
    onTrainError: stop,
  };
}

function accuracyText(name: string, accuracy: number | undefined): string {
  return accuracy === undefined ? "" : `${name} ${percent(accuracy)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** Seconds as 8.1 s, 2 min 05 s, 1 h 02 min. */
function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
