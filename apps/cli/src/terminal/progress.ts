import type { Callback } from "@convkit/trainer";
import cliProgress from "cli-progress";
import { duration, percent } from "./format.ts";
import type { Output } from "./output.ts";

export interface CountingBar {
  update(value: number): void;
  stop(): void;
}

/** A bar that counts up to a total; draws nothing if the output is not a terminal. */
export function countingBar(out: Output, total: number, unit: string): CountingBar {
  if (!out.live || !Number.isFinite(total)) return { update() {}, stop() {} };
  const bar = makeBar(`{bar} {value}/{total} ${unit}`);
  bar.start(total, 0);
  return { update: (value) => bar.update(value), stop: () => bar.stop() };
}

/**
 * Shows the progress of a training: one line per epoch, and on a terminal a bar with loss, accuracy, images per second
 * and time left.
 */
export function trainingProgress(out: Output): Callback {
  let bar: cliProgress.SingleBar | undefined;
  return {
    onEpochBegin(epoch, training) {
      if (!out.live) return;
      bar = makeBar(
        `epoch ${epoch}/${training.epochs} {bar} {percentage} % | loss {loss} | accuracy {accuracy} | {rate} images/s | {left} left`,
      );
      bar.start(training.stepsPerEpoch, 0, { loss: "-", accuracy: "-", rate: "-", left: "-" });
    },
    onTrainBatchEnd(_batch, logs, training) {
      bar?.update(logs.batch, {
        loss: logs.loss.toFixed(4),
        accuracy: percent(logs.accuracy),
        rate: String(Math.round(logs.imagesPerSecond)),
        left: duration(((training.stepsPerEpoch - logs.batch) * logs.size) / logs.imagesPerSecond),
      });
    },
    onTestBegin() {
      bar?.stop();
      bar = undefined;
    },
    onEpochEnd(_epoch, logs, training) {
      bar?.stop();
      bar = undefined;
      const validation =
        logs.valLoss === undefined
          ? ""
          : ` | val loss ${logs.valLoss.toFixed(4)} | val accuracy ${percent(logs.valAccuracy ?? 0)}`;
      if (out.json) out.event({ event: "epoch", ...logs });
      else
        out.note(
          `epoch ${logs.epoch}/${training.epochs} | loss ${logs.loss.toFixed(4)} | accuracy ${percent(logs.accuracy)}${validation} | lr ${Number(logs.lr.toPrecision(4))} | ${duration(logs.seconds)}`,
        );
    },
    onTrainEnd() {
      bar?.stop();
    },
  };
}

function makeBar(format: string): cliProgress.SingleBar {
  return new cliProgress.SingleBar(
    {
      format,
      barsize: 24,
      clearOnComplete: true,
      hideCursor: true,
      fps: 8,
      stream: process.stderr,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
}
