import { UsageError } from "../terminal/usage-error.ts";
import type { RunConfig } from "./run-config.ts";

/** Refuses what several workers cannot do, before any of them starts. Throws `UsageError` with one sentence. */
export function checkForWorkers(config: RunConfig, engine: string): void {
  const { plan, folds, validationRuntime, health } = config;
  const problems = [
    (engine === "wasm" || engine === "webgpu") && `--engine ${engine} computes in one process: use native`,
    folds !== undefined && "--folds trains one fold after the other in one process",
    plan.fineTune !== undefined && "--recipe fine-tune has several trainings",
    plan.swa !== undefined && "swa of the plan gathers its mean in one process: ema works in all",
    validationRuntime !== undefined && "--validation-runtime validates in one process",
    health !== undefined &&
      (plan.accumulate ?? 1) > 1 &&
      "--health measures each worker's own gradients where accumulate of the plan averages them later",
    isSummed(plan.loss) && (plan.accumulate ?? 1) === 1 && "the loss must be a mean over the images, not their sum",
  ].filter((problem) => problem !== false);
  if (problems.length > 0)
    throw new UsageError(
      `Several workers cannot train so: ${problems.join("; ")}. Leave it out, or train in one process.`,
    );
}

function isSummed(loss: RunConfig["plan"]["loss"]): boolean {
  return /"reduction":"(sum|mean-with-sample-weight)"/.test(JSON.stringify(loss) ?? "");
}
