import type { Context } from "../terminal/context.ts";
import { choice, text, type ValuesOf, whole } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { readTfConfig } from "../training/tf-config.ts";
import { notStored } from "../training/train-option.ts";
import { options as trainOptions } from "./train.ts";

const {
  folds: _folds,
  resume: _resume,
  tracker: _tracker,
  webhook: _webhook,
  replicas: _replicas,
  restarts: _restarts,
  workerTimeout: _workerTimeout,
  wire: _wire,
  ...settings
} = trainOptions;

/** The options of `train`, and those of the search. */
export const options = {
  ...settings,
  resume: notStored(text("<folder>", "continues the search in that folder")),
  space: notStored(
    text(
      "<json>",
      'what is drawn, by its path in the plan, as in {"optimizer.learningRate": {"from": 1e-4, "to": 0.1, "log": true}, "batch": [32, 64]}',
    ),
  ),
  trials: notStored(whole(1, "<n>", "drawn settings (default: 10)")),
  parallel: notStored(
    whole(1, "<n>", "trials that train at once, each in a process with its part of the threads (default: 1)"),
  ),
  method: notStored(
    choice(
      ["random", "halving"],
      "<name>",
      "halving trains all for a few epochs and the best third of them three times as long",
    ),
  ),
  monitor: notStored(
    choice(["valLoss", "valAccuracy"], "<name>", "what is compared, at its best epoch (default: valLoss)"),
  ),
};

/** As `train`: the trial that runs goes on with `--resume`. */
export const savesFirst = true;

/** `convkit search`: trains with drawn settings, and ends with one table. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string | undefined): Promise<void> {
  const { defaultFolder, newConfig } = await import("../training/run-config.ts");
  const { runSearch, storedSearch } = await import("../training/search.ts");
  const { userPath } = await import("../inputs/user-path.ts");
  const { keep } = await import("../training/train-option.ts");
  const { globalOptionTable } = await import("../terminal/global-options.ts");
  if (readTfConfig(process.env["TF_CONFIG"]) !== undefined)
    throw new UsageError("A search trains in one process: unset TF_CONFIG.");
  const { space, trials = 10, method = "random", monitor = "valLoss", parallel = 1, resume, ...own } = given;
  const { workers, strict, cacheDecoded, cacheLimit, keepGoing } = given;
  const reading = { workers, strict, cacheDecoded, cacheLimit };
  const place = { ...reading, parallel, keepGoing, webhook: undefined, tracker: undefined };
  if (resume !== undefined) {
    const folder = userPath(resume);
    const stored = await storedSearch(folder);
    return runSearch(context, stored, { ...place, folder, isResumed: true });
  }
  if (space === undefined) throw new UsageError("Give what is drawn with --space, or --resume with a search's folder.");
  const { seed, threads } = context.options;
  const table = {
    ...settings,
    seed: keep("seed", globalOptionTable.seed),
    threads: keep("threads", globalOptionTable.threads),
  };
  const config = newConfig(name, { table, given: { ...own, seed, threads } });
  const folder = own.out === undefined ? defaultFolder(`${config.name}-search`) : userPath(own.out);
  const stored = { config, space: spaceOf(space), trials, method, monitor, done: [] };
  return runSearch(context, stored, { ...place, folder, isResumed: false });
}

function spaceOf(json: string): Readonly<Record<string, never>> {
  try {
    const space: unknown = JSON.parse(json);
    if (typeof space === "object" && space !== null && !Array.isArray(space)) return space as Record<string, never>;
  } catch {
    // The sentence below tells it.
  }
  throw new UsageError(`--space must be a JSON object, as in '{"batch": [32, 64]}', not ${json}.`);
}
