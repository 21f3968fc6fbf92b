import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";

/** Throws an `OptionError` where no engine is in use, which tfjs would say as "No backend found in registry". */
export function checkEngine(where: string): void {
  if (Object.keys(tf.engine().registryFactory).length > 0) return;
  throw new OptionError(
    `${where}: no engine is in use, so there is nothing to compute with. Write \`await useEngine()\` before (from "convkit" or "@convkit/engine").`,
  );
}
