import { shown } from "@convkit/errors";
import type { JsonValue } from "@convkit/files";
import type { Values } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import { TrainerError } from "../trainer-error.ts";
import { hasAccuracy, type OutputTask } from "../objective/output-tasks.ts";
import { type Metric, type MetricFunction, summed } from "./metric.ts";
import { type MetricName, metricNames, metricOf, type MetricPlan } from "./named-metrics.ts";

/** A metric by name, as plain data, as a function with one value for each example, or as an object. */
export type MetricSpec = MetricName | MetricPlan | MetricFunction | OwnMetric | Metric;

/** A metric of the user's as a function, with its name. */
export interface OwnMetric {
  readonly name: string;
  readonly fn: MetricFunction;
  /** Whether higher or lower is better, for `monitor`; a metric without it cannot be watched. */
  readonly better?: "higher" | "lower" | undefined;
}

/** Metrics for all outputs, or for each output by its name. */
export type MetricOption = readonly MetricSpec[] | Readonly<Record<string, readonly MetricSpec[]>>;

/** Metrics as plain data, for all outputs or for each output by its name. */
export type MetricPlanOption =
  | readonly (MetricName | MetricPlan)[]
  | Readonly<Record<string, readonly (MetricName | MetricPlan)[]>>;

/** The names that a metric option gives, for monitors. */
export function metricColumns(option: MetricOption | undefined): string[] {
  const lists = option === undefined ? [] : Array.isArray(option) ? [option] : Object.values(option);
  return (lists.flat() as MetricSpec[]).map((spec) => {
    if (typeof spec === "string") return spec;
    return ("as" in spec ? spec.as : undefined) ?? spec.name;
  });
}

/** The metric that a specification names or holds. */
function fullMetric(spec: MetricSpec): Metric {
  if (typeof spec === "string") return metricOf(checkedName(spec));
  if (typeof spec === "function") return meanOf({ name: spec.name || "metric", fn: spec });
  if (typeof spec !== "object" || spec === null)
    throw new TrainerError(`metrics: expected names, functions or metric objects, got ${shown(spec)}.`);
  if ("fn" in spec) return meanOf(spec);
  if ("update" in spec) return spec;
  return metricOf({ ...spec, name: checkedName(spec.name) });
}

function checkedName(name: string): MetricName {
  if ((metricNames as readonly string[]).includes(name)) return name as MetricName;
  throw new TrainerError(`Unknown metric ${shown(name)}: known are ${metricNames.join(", ")}.`);
}

/** Refuses a named metric that says nothing of a task. Labels have the binary form of accuracy, as in Keras. */
function fitting(spec: MetricSpec, { kind, output }: OutputTask): MetricSpec {
  if (spec === "accuracy" && kind === "labels") return { name: "binary-accuracy", as: "accuracy" };
  const name = typeof spec === "string" ? spec : typeof spec === "object" && "name" in spec ? spec.name : undefined;
  const isOwn = typeof spec !== "string" && (typeof spec === "function" || "fn" in spec || "update" in spec);
  const kinds = isOwn ? undefined : kindsOf[name as MetricName];
  if (kinds === undefined || kinds.includes(kind)) return spec;
  throw new TrainerError(
    `The metric ${name} is for ${kinds.map((each) => whatOf[each]).join(", ")}, but ${output} tells ${whatOf[kind]}.`,
  );
}

const whatOf = { class: "one class an image", labels: "several labels", numbers: "numbers", mask: "masks" } as const;

const kindsOf: { readonly [Name in MetricName]?: readonly OutputTask["kind"][] } = {
  accuracy: ["class", "labels", "mask"],
  "binary-accuracy": ["class", "labels"],
  "exact-match": ["labels"],
  "top-k": ["class"],
  precision: ["class", "labels", "mask"],
  recall: ["class", "labels", "mask"],
  f1: ["class", "labels", "mask"],
  auc: ["class", "labels"],
  "mean-average-precision": ["class", "labels"],
  "mean-iou": ["class", "mask"],
  r2: ["numbers"],
};

/** The mean of a function over the examples. */
function meanOf({ name, fn, better }: OwnMetric): Metric {
  return summed({
    name,
    better,
    statistics(yTrue, yPred) {
      const each = tf.cast(fn(yTrue, yPred), "float32");
      const [n] = yPred.shape;
      if (each.rank === 0 || each.shape[0] !== n)
        throw new TrainerError(
          `expected one value for each of the ${n} examples, got the shape [${each.shape.join(", ")}]`,
        );
      return tf.stack([tf.sum(tf.mean(tf.reshape(each, [n!, -1]), -1)), tf.scalar(n!)]);
    },
    finish: ([sum, count]) => sum! / count!,
  });
}

/** A metric of one output. */
interface TaskMetric {
  readonly metric: Metric;
  readonly task: OutputTask;
  /** The name in `history.csv`. */
  readonly column: string;
}

/** The metrics of a model's outputs over the batches of an epoch. A metric that throws is told once, and is NaN from then on. */
export class MetricSet {
  readonly #metrics: readonly TaskMetric[];
  readonly #onNote: (note: string) => void;
  readonly #failed = new Set<TaskMetric>();
  /** Number of tensors of each metric. */
  readonly #counts = new Map<TaskMetric, number>();

  constructor(tasks: readonly OutputTask[], option: MetricOption, onNote: (note: string) => void) {
    this.#onNote = onNote;
    const isList = Array.isArray(option);
    const byName = option as Readonly<Record<string, readonly MetricSpec[]>>;
    if (!isList)
      for (const name of Object.keys(byName))
        if (!tasks.some(({ output }) => output === name))
          throw new TrainerError(
            `metrics names the output ${name}, but the model has the outputs ${tasks.map(({ output }) => output).join(", ")}.`,
          );
    // Auxiliary outputs share the first output's target, and are not measured.
    const measured = tasks.filter(({ target, index }) => index === 0 || tasks[0]!.target !== target);
    this.#metrics = measured.flatMap((task) =>
      (isList ? (option as readonly MetricSpec[]) : (byName[task.output] ?? [])).flatMap((spec) => {
        // The accuracy of classes is always measured.
        if (spec === "accuracy" && task.index === 0 && hasAccuracy(task)) return [];
        const metric = fullMetric(fitting(spec, task));
        return [{ metric, task, column: measured.length === 1 ? metric.name : `${task.output}_${metric.name}` }];
      }),
    );
    const columns = this.#metrics.map(({ column }) => column);
    const double = columns.find((column, place) => columns.indexOf(column) !== place);
    if (double !== undefined)
      throw new TrainerError(
        `metrics has ${double} twice: give one another name, { name: "f1", as: "f1-micro", average: "micro" }.`,
      );
    const unfit = columns.find((column) => /[",\n\r]/.test(column) || taken.has(column));
    if (unfit !== undefined)
      throw new TrainerError(
        `metrics: ${shown(unfit)} cannot be a column of history.csv; give the metric another name.`,
      );
  }

  /** Names and directions, for `monitor`. */
  get directions(): ReadonlyMap<string, "higher" | "lower" | undefined> {
    return new Map(this.#metrics.map(({ column, metric }) => [column, metric.better]));
  }

  /** Number of tensors that `statistics` returned last. */
  get size(): number {
    return this.#metrics.reduce((sum, each) => sum + (this.#counts.get(each) ?? 0), 0);
  }

  /** Whether each of these tensors has one row an image. */
  get perImage(): readonly boolean[] {
    return this.#metrics.flatMap((each) =>
      Array.from({ length: this.#counts.get(each) ?? 0 }, () => each.metric.statistics === undefined),
    );
  }

  /** Computes inside the step what the metrics need of a batch. */
  statistics(of: (task: OutputTask) => { readonly yTrue: tf.Tensor; readonly yPred: tf.Tensor }): tf.Tensor[] {
    return this.#metrics.flatMap((each) => {
      const { yTrue, yPred } = of(each.task);
      const made = this.#failed.has(each)
        ? []
        : (this.#attempt(each, () => [each.metric.statistics?.(yTrue, yPred) ?? [yTrue, yPred]].flat()) ?? []);
      this.#counts.set(each, made.length);
      return made.map((tensor) => tf.cast(tensor as tf.Tensor, "float32"));
    });
  }

  /** Adds a batch by the values of its statistics. */
  update(values: readonly Values[]): void {
    let from = 0;
    for (const each of this.#metrics) {
      const count = this.#counts.get(each) ?? 0;
      const own = values.slice(from, from + count);
      from += count;
      if (!this.#failed.has(each) && count > 0) this.#attempt(each, () => each.metric.update(...own));
    }
  }

  /** The numbers by the names of their columns. */
  results(): Record<string, number> {
    const made = this.#metrics.flatMap((each): (readonly [string, number])[] => {
      const result = this.#failed.has(each) ? Number.NaN : this.#attempt(each, () => each.metric.result());
      if (typeof result !== "object") return [[each.column, Number(result ?? Number.NaN)]];
      return Object.entries(result).map(([place, value]) => {
        const called = each.task.names[Number(place)] ?? place;
        return [`${each.column}.${called.replaceAll(/[",\n\r]/g, " ")}`, value];
      });
    });
    return Object.fromEntries(made);
  }

  reset(): void {
    for (const each of this.#metrics) if (!this.#failed.has(each)) this.#attempt(each, () => each.metric.reset());
  }

  state(): JsonValue {
    return Object.fromEntries(
      this.#metrics.flatMap(({ column, metric }) => (metric.state === undefined ? [] : [[column, metric.state()]])),
    );
  }

  restore(state: JsonValue): void {
    const given = state as Readonly<Record<string, JsonValue>>;
    for (const { column, metric } of this.#metrics) if (given[column] !== undefined) metric.restore?.(given[column]);
  }

  #attempt<Result>(each: TaskMetric, fn: () => Result): Result | undefined {
    try {
      return fn();
    } catch (error) {
      this.#failed.add(each);
      const reason = (error as Error | undefined)?.message ?? String(error);
      this.#onNote(
        `The metric ${each.column} failed: ${reason.replace(/\.$/, "")}. It is left out, and everything else goes on.`,
      );
      return undefined;
    }
  }
}

/** The other columns of `history.csv`. */
const taken = new Set(["epoch", "loss", "val_loss", "val_accuracy", "lr", "seconds"]);

/** The metrics that are measured if none are asked for. */
export function usualMetrics(task: OutputTask): readonly MetricName[] {
  if (task.kind === "labels") return ["binary-accuracy", "f1"];
  if (task.kind === "numbers") return ["mae"];
  return task.kind === "mask" ? ["mean-iou"] : [];
}
