import type { PredictorDescription } from "./predictor-options.ts";

/**
 * A sentence for each runtime that is installed and was refused, since it is damaged or cannot run the model as it is; and for what is
 * computed in another way than was asked for.
 */
export function refusedRuntimes({
  trials,
  notes = [],
}: Pick<PredictorDescription, "trials"> & Partial<Pick<PredictorDescription, "notes">>): string[] {
  const refused = trials.filter(
    ({ version, reason, ms }) => version !== undefined && reason !== undefined && ms === undefined,
  );
  return [...refused.map(({ runtime, reason }) => `The runtime ${runtime} was not taken: ${reason}.`), ...notes];
}
