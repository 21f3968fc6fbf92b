import type { PredictorDescription } from "./predictor-options.ts";

/** A sentence for each runtime that is installed and was refused: it is damaged, or cannot run the model as it is. */
export function refusedRuntimes({ trials }: Pick<PredictorDescription, "trials">): string[] {
  return trials
    .filter(({ version, reason, ms }) => version !== undefined && reason !== undefined && ms === undefined)
    .map(({ runtime, reason }) => `The runtime ${runtime} was not taken: ${reason}.`);
}
