import { checkOptions, type OptionNames } from "@convkit/errors";
import { cacheRoot } from "@convkit/files";

import { EngineError } from "../engine-error.ts";
import { isEngineFolder } from "./installed.ts";
import { enginePlace } from "./libraries.ts";
import { removeVersions } from "./provision.ts";

/** Options of `removeEngine`. */
export interface RemoveOptions {
  /** Removes the CUDA build instead of the CPU build; false by default. */
  readonly gpu?: boolean | undefined;
  /** The cache folder; convkit's own by default. */
  readonly cache?: string | undefined;
}

const optionNames: OptionNames<RemoveOptions> = { gpu: true, cache: true };

/** Removes all versions of one kind of engine from the cache and returns their folders. Waits for a running install. */
export async function removeEngine(options: RemoveOptions = {}): Promise<string[]> {
  checkOptions("removeEngine", options, optionNames, (message) => new EngineError(message));
  const { gpu = false, cache = cacheRoot() } = options;
  const kind = gpu ? "gpu" : "native";
  return removeVersions(enginePlace(kind, cache), (name) => isEngineFolder(name, kind));
}
