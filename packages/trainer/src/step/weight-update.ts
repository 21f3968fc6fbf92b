import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { namedWeights } from "../model/named-weights.ts";
import { movingStatistics } from "../model/norm-statistics.ts";
import { GradientSum } from "../optimization/gradient-sum.ts";
import { MovingAverage } from "../optimization/moving-average.ts";
import { WeightMean } from "../optimization/weight-mean.ts";
import { limitGradients } from "../optimization/clipping.ts";
import {
  createOptimizer,
  decayOf,
  type LearningOptimizer,
  type OptimizerConfig,
} from "../optimization/optimizer-config.ts";
import { isOwn, type OwnOptimizer, setRate } from "../optimization/own-optimizer.ts";
import { weightRules } from "../optimization/parameter-groups.ts";
import { weightPaths } from "../model/weight-paths.ts";

/** How gradients become new weights. */
export interface UpdateOptions {
  readonly optimizer: OptimizerConfig | OwnOptimizer;
  /** Batches whose gradients are averaged before an update; 1 by default. */
  readonly accumulate?: number | undefined;
  /** Decay of a moving average of the weights. */
  readonly ema?: number | undefined;
  /** Whether the mean of the weights over some epochs is kept. */
  readonly hasMean?: boolean | undefined;
}

/** A tensor and its name in checkpoints. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: tf.Tensor;
}

/** Turns gradients into new weights: optimizer, accumulated gradients, moving average. */
export class WeightUpdate {
  readonly optimizer: LearningOptimizer;
  readonly average: MovingAverage | undefined;
  /** The mean of all weights but the moving statistics of norms. */
  readonly mean: WeightMean | undefined;
  readonly #sum: GradientSum | undefined;
  /** Decay and limits of the gradients. */
  readonly #prepare: (gradients: tf.NamedTensorMap) => tf.NamedTensorMap;
  readonly #isOwn: boolean;
  /** The model's weights by their names in checkpoints. */
  readonly #weights: ReadonlyMap<string, tf.Variable>;
  readonly #model: LayersModel;
  #trainable: readonly tf.Variable[] = [];

  constructor(model: LayersModel, { optimizer, accumulate = 1, ema, hasMean = false }: UpdateOptions) {
    this.#model = model;
    this.#isOwn = isOwn(optimizer);
    if (isOwn(optimizer)) {
      this.optimizer = optimizer.own;
      this.#prepare = (gradients) => gradients;
    } else {
      const made = configured(model, optimizer);
      this.optimizer = made.optimizer;
      this.#prepare = made.prepare;
    }
    this.#weights = new Map([...namedWeights(model)].map(([name, weight]) => [name, weight.read() as tf.Variable]));
    // The moving statistics of norms belong to the weights of their time, so they are averaged too.
    this.average = ema === undefined ? undefined : new MovingAverage([...this.#weights.values()], ema);
    const statistics = hasMean ? movingStatistics(model) : new Set();
    this.mean = hasMean
      ? new WeightMean([...this.#weights.values()].filter((variable) => !statistics.has(variable)))
      : undefined;
    this.#sum = accumulate === 1 ? undefined : new GradientSum();
    this.refresh();
  }

  /** The trainable variables. */
  get trainable(): tf.Variable[] {
    return [...this.#trainable];
  }

  /**
   * Updates the set of trainable variables: callbacks may freeze and unfreeze layers. Returns true if it has changed.
   */
  refresh(): boolean {
    const trainable = this.#model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const before = new Set(this.#trainable);
    const isSame = trainable.length === before.size && trainable.every((variable) => before.has(variable));
    if (isSame) return false;
    this.#trainable = trainable;
    this.#sum?.makeRoom(trainable);
    return true;
  }

  /** Sets the learning rate of the next update. */
  setRate(rate: number): void {
    setRate(this.optimizer, rate);
  }

  /** Accumulates the gradients of a batch of `images` images, or updates the weights at once. */
  add(gradients: tf.NamedTensorMap, images: number | tf.Scalar): void {
    const present = Object.fromEntries(Object.entries(gradients).filter(([, gradient]) => gradient != null));
    if (this.#sum === undefined) this.#apply(present);
    else this.#sum.add(present, images);
  }

  /** Updates the weights with the mean of the accumulated gradients. */
  applyWaiting(): void {
    if (this.#sum !== undefined) this.#apply(this.#sum.take(this.#trainable));
  }

  #apply(gradients: tf.NamedTensorMap): void {
    this.optimizer.applyGradients(this.#prepare(gradients));
    this.average?.update();
  }

  /** The tensors that training changes, except random states and loss scales. */
  async tensors(): Promise<NamedTensor[]> {
    const names = new Map([...this.#weights].map(([name, { name: own }]) => [own, name]));
    const slots = (await this.optimizer.getWeights()).map(({ name, tensor }) => {
      const end = name.lastIndexOf("/");
      const weight = names.get(name.slice(0, Math.max(0, end)));
      return { name: `optimizer/${weight === undefined ? name : weight + name.slice(end)}`, tensor };
    });
    return [...this.#variables(), ...slots];
  }

  /** Restores the result of `tensors`, by name; returns the names of variables without a tensor. */
  async restore(tensors: readonly NamedTensor[]): Promise<string[]> {
    const given = new Map(tensors.map(({ name, tensor }) => [name, tensor]));
    const missing = this.#variables().filter(
      ({ name, tensor }) => !tf.util.arraysEqual(shapeOf(given, name), tensor.shape),
    );
    if (missing.length > 0) return missing.map(({ name }) => name);
    for (const { name, tensor } of this.#variables()) (tensor as tf.Variable).assign(given.get(name)!);
    const slots = tensors.flatMap(({ name, tensor }) => {
      if (!name.startsWith("optimizer/")) return [];
      const [own, end] = [name.slice("optimizer/".length), name.lastIndexOf("/") - "optimizer/".length];
      const variable = this.#weights.get(own.slice(0, Math.max(0, end)));
      return [{ name: variable === undefined ? own : variable.name + own.slice(end), tensor }];
    });
    await this.optimizer.setWeights(slots);
    return [];
  }

  #variables(): NamedTensor[] {
    return [...this.#weights]
      .flatMap(([name, variable]) => {
        const [average, sum] = [this.average?.of(variable), this.#sum?.of(variable)];
        const mean = this.mean?.of(variable);
        return [
          { name: `model/${name}`, tensor: variable },
          ...(average === undefined ? [] : [{ name: `average/${name}`, tensor: average }]),
          ...(mean === undefined ? [] : [{ name: `mean/${name}`, tensor: mean }]),
          ...(sum === undefined ? [] : [{ name: `sum/${name}`, tensor: sum }]),
        ];
      })
      .concat(this.mean === undefined ? [] : [{ name: "mean-count", tensor: this.mean.count }])
      .concat(this.#sum === undefined ? [] : [{ name: "sum-images", tensor: this.#sum.images }]);
  }

  dispose(): void {
    this.average?.dispose();
    this.mean?.dispose();
    this.#sum?.dispose();
    if (!this.#isOwn) this.optimizer.dispose();
  }
}

/** The optimizer of a configuration, and what its decay and limits make of gradients. */
function configured(model: LayersModel, config: OptimizerConfig) {
  const { isDecoupled, weightDecay } = decayOf(config);
  const rules = weightRules(model, { ...config, weightDecay });
  const paths = new Map([...weightPaths(model)].map(([weight, path]) => [(weight.read() as tf.Variable).name, path]));
  const optimizer = createOptimizer(config, (variable) => {
    const own = rules.get(variable);
    return { rateFactor: own?.rateFactor, weightDecay: isDecoupled ? own?.weightDecay : 0 };
  });
  const prepare = (gradients: tf.NamedTensorMap): tf.NamedTensorMap => {
    const variables = tf.engine().registeredVariables;
    const entries = Object.entries(gradients).map(([name, gradient]) => {
      const decay = isDecoupled ? 0 : (rules.get(variables[name]!)?.weightDecay ?? 0);
      // Like L2 regularization.
      return [name, decay === 0 ? gradient : tf.add(gradient, tf.mul(variables[name]!, decay))] as const;
    });
    return limitGradients(Object.fromEntries(entries), config, (name) => paths.get(name) ?? name);
  };
  return { optimizer, prepare };
}

function shapeOf(tensors: ReadonlyMap<string, tf.Tensor>, name: string): number[] {
  return tensors.get(name)?.shape ?? [-1];
}
