import * as tf from "@tensorflow/tfjs-core";
// Registers the flag.
import "@tensorflow/tfjs-layers";

const flag = "TOPOLOGICAL_SORT_CACHE_MAX_ENTRIES";

/**
 * Empties tfjs' cache of sorted layers. It holds the last 100 networks that were applied, with all their layers, after
 * they are disposed. tfjs sorts a network again when it is applied next.
 */
export function forgetSortedLayers(): void {
  const entries = tf.env().getNumber(flag);
  tf.env().set(flag, 0);
  tf.env().set(flag, entries);
}
