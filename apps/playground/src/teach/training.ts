import { effect, signal } from "@preact/signals";
import { proxy } from "comlink";
import { classes } from "../collect/classes.ts";
import type { Taught, TrainingReport } from "../compute/compute.ts";
import { computing, generation, heavy } from "../computing.ts";
import { attempt, notice } from "../notice.ts";
import { augmentation, epochs, learningRate, network, weights } from "./settings.ts";

/** What runs now; undefined where nothing does. */
export const report = signal<TrainingReport | undefined>(undefined);

/** What the last training gave; undefined before. */
export const taught = signal<Taught | undefined>(undefined);

// A new worker knows no network.
effect(() => {
  void generation.value;
  taught.value = undefined;
});

/** Teaches the chosen network what was collected. */
export async function startTraining(): Promise<void> {
  if (report.value !== undefined) return;
  notice.value = "";
  report.value = { doing: "Beginning", share: 0, history: [] };
  const job = {
    classes: classes.value.map(({ name, pictures }) => ({
      name: name.trim(),
      pictures: pictures.map(({ file }) => file),
    })),
    network: network.value,
    weights: weights.value,
    epochs: epochs.value,
    learningRate: learningRate.value,
    augmentation: augmentation.value,
  };
  let isOver = false;
  // Reports come on another way than the result, and may be late.
  const receive = (next: TrainingReport): void => {
    if (!isOver) report.value = next;
  };
  const tellOfHiding = (): void => {
    if (document.hidden) notice.value = "The training goes on while this page is hidden.";
  };
  document.addEventListener("visibilitychange", tellOfHiding);
  await attempt(async () => {
    taught.value = await heavy((remote) => remote.train(job, proxy(receive)));
    const { skipped, stopReason = "" } = taught.value;
    notice.value = [...skipped, stopReason].filter(Boolean).join(" ");
  });
  isOver = true;
  document.removeEventListener("visibilitychange", tellOfHiding);
  report.value = undefined;
}

/** Ends the training after its step. */
export function stopTraining(): void {
  void attempt(() => computing().stop());
}
