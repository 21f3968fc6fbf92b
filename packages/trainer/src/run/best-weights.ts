import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel, LayerVariable } from "@tensorflow/tfjs-layers";
import { namedWeights } from "../model/named-weights.ts";
import { type SavedArray, savedArray } from "./checkpoint.ts";
import type { EpochLogs } from "./history.ts";
import { improves, type Monitor, watched, worst } from "./monitor.ts";

/** The model's weights in the epoch with the best watched value. */
export class BestWeights {
  readonly #model: LayersModel;
  readonly #monitor: Monitor;
  readonly #lower: boolean;
  readonly #values = new Map<LayerVariable, tf.Tensor>();
  #logs: EpochLogs | undefined;

  constructor(model: LayersModel, monitor: Monitor, lower = monitor === "loss" || monitor === "valLoss") {
    this.#model = model;
    this.#lower = lower;
    this.#monitor = monitor;
  }

  /** The best epoch so far. */
  get logs(): EpochLogs | undefined {
    return this.#logs;
  }

  /** Stores the model's weights if the epoch is the best so far; returns true if it is. */
  offer(logs: EpochLogs): boolean {
    const best = this.#logs === undefined ? worst({ lower: this.#lower }) : watched(this.#monitor, this.#logs);
    if (!improves({ lower: this.#lower }, watched(this.#monitor, logs), best)) return false;
    this.store(logs);
    return true;
  }

  /** Stores the model's weights as the best ones. The copies share their data with the model's weights. */
  store(logs: EpochLogs): void {
    this.dispose();
    for (const weight of this.#model.weights) this.#values.set(weight, tf.keep(tf.clone(weight.read())));
    this.#logs = logs;
  }

  /** The best weights as arrays for a checkpoint. */
  async arrays(): Promise<SavedArray[]> {
    const named = [...namedWeights(this.#model)].flatMap(([name, weight]) => {
      const value = this.#values.get(weight);
      return value === undefined ? [] : [{ name: `best/${name}`, tensor: value }];
    });
    return Promise.all(named.map(savedArray));
  }

  /**
   * Loads the best weights from a checkpoint's arrays, by name. Returns the names that are missing or have another
   * shape.
   */
  load(logs: EpochLogs, arrays: readonly SavedArray[]): string[] {
    const given = new Map(arrays.map((array) => [array.name, array]));
    const missing: string[] = [];
    this.dispose();
    for (const [own, weight] of namedWeights(this.#model)) {
      const array = given.get(`best/${own}`);
      if (array === undefined || !tf.util.arraysEqual([...array.shape], weight.shape as number[]))
        missing.push(`best/${own}`);
      else this.#values.set(weight, tf.keep(tf.tensor(array.data, [...array.shape], array.dtype)));
    }
    this.#logs = logs;
    return missing;
  }

  /** Copies the best weights back into the model. */
  restore(): void {
    for (const [weight, value] of this.#values) weight.write(value);
  }

  dispose(): void {
    for (const value of this.#values.values()) value.dispose();
    this.#values.clear();
  }
}
