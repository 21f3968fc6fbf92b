import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { EpochLogs } from "./history.ts";
import { improves, type Monitor, watched, worst } from "./monitor.ts";

/** The weights of the epoch with the best watched value, kept aside. */
export interface BestWeights {
  /** The best epoch so far. */
  readonly logs: EpochLogs | undefined;
  /** Keeps the model's weights if the epoch is the best yet; tells whether it is. */
  offer(logs: EpochLogs): boolean;
  /** Takes up a best epoch whose weights the caller has put into the model. */
  adopt(logs: EpochLogs): void;
  /** Puts the best weights into the model. */
  restore(): void;
  dispose(): void;
}

/** Watches for the best epoch; tensors are shared with the model, so keeping costs no copy. */
export function bestWeights(model: LayersModel, monitor: Monitor): BestWeights {
  let kept: tf.Tensor[] = [];
  let best: EpochLogs | undefined;
  const keep = (logs: EpochLogs) => {
    tf.dispose(kept);
    kept = model.weights.map((weight) => tf.keep(tf.clone(weight.read())));
    best = logs;
  };
  return {
    get logs() {
      return best;
    },
    offer(logs) {
      if (!improves(monitor, watched(monitor, logs), best === undefined ? worst(monitor) : watched(monitor, best)))
        return false;
      keep(logs);
      return true;
    },
    adopt: keep,
    restore() {
      model.weights.forEach((weight, index) => kept[index] !== undefined && weight.write(kept[index]));
    },
    dispose() {
      tf.dispose(kept);
      kept = [];
    },
  };
}
