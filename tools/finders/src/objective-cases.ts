import type { Draw } from "./draw.ts";

/** A loss, metric or constraint of tfjs-layers by its name there and in Keras, on drawn numbers. */
export interface ObjectiveCase {
  readonly kind: "loss" | "metric" | "constraint";
  /** The name in tfjs-layers. */
  readonly name: string;
  readonly keras: string;
  /** `[rows, columns]` of labels and predictions, or the shape of a weight. */
  readonly shape: readonly number[];
  readonly labels?: undefined | "values" | "oneHot" | "indices" | "bits" | "signs" | "distribution" | "positive";
  readonly predictions?: undefined | "values" | "probabilities" | "units" | "positive";
  readonly args?: Record<string, unknown>;
  readonly seed: number;
}

type Row = readonly [
  name: string,
  keras: string,
  labels: ObjectiveCase["labels"],
  predictions: ObjectiveCase["predictions"],
];

/** Labels and predictions are of the kinds that each is made for. */
const losses: readonly Row[] = [
  ["meanSquaredError", "MeanSquaredError", "values", "values"],
  ["meanAbsoluteError", "MeanAbsoluteError", "values", "values"],
  ["meanAbsolutePercentageError", "MeanAbsolutePercentageError", "positive", "values"],
  ["meanSquaredLogarithmicError", "MeanSquaredLogarithmicError", "positive", "positive"],
  ["squaredHinge", "SquaredHinge", "signs", "values"],
  ["hinge", "Hinge", "signs", "values"],
  ["categoricalHinge", "CategoricalHinge", "oneHot", "values"],
  ["logcosh", "LogCosh", "values", "values"],
  ["categoricalCrossentropy", "CategoricalCrossentropy", "oneHot", "probabilities"],
  ["sparseCategoricalCrossentropy", "SparseCategoricalCrossentropy", "indices", "probabilities"],
  ["binaryCrossentropy", "BinaryCrossentropy", "bits", "units"],
  ["kullbackLeiblerDivergence", "KLDivergence", "distribution", "probabilities"],
  ["poisson", "Poisson", "positive", "positive"],
  ["cosineProximity", "CosineSimilarity", "values", "values"],
];

const metrics: readonly Row[] = [
  ["categoricalAccuracy", "CategoricalAccuracy", "oneHot", "probabilities"],
  ["sparseCategoricalAccuracy", "SparseCategoricalAccuracy", "indices", "probabilities"],
  ["binaryAccuracy", "BinaryAccuracy", "bits", "units"],
  ["mse", "MeanSquaredError", "values", "values"],
  ["meanAbsoluteError", "MeanAbsoluteError", "values", "values"],
  ["mape", "MeanAbsolutePercentageError", "positive", "values"],
  ["categoricalCrossentropy", "CategoricalCrossentropy", "oneHot", "probabilities"],
  ["binaryCrossentropy", "BinaryCrossentropy", "bits", "units"],
];

const constraints: readonly ((d: Draw) => Pick<ObjectiveCase, "name" | "keras" | "args">)[] = [
  (d) => ({ name: "maxNorm", keras: "MaxNorm", args: { maxValue: 0.7, ...d.maybe("axis", () => d.int(0, 1)) } }),
  (d) => ({ name: "unitNorm", keras: "UnitNorm", args: { ...d.maybe("axis", () => d.int(0, 1)) } }),
  () => ({ name: "nonNeg", keras: "NonNeg", args: {} }),
  (d) => ({
    name: "minMaxNorm",
    keras: "MinMaxNorm",
    args: { minValue: 0.5, maxValue: 0.9, ...d.maybe("rate", () => 0.4), ...d.maybe("axis", () => d.int(0, 1)) },
  }),
];

export function objectiveCases(d: Draw, times: number): ObjectiveCase[] {
  const shape = () => [d.int(3, 7), d.int(2, 5)];
  const seed = () => d.int(1, 1_000_000);
  const rows = (kind: "loss" | "metric", table: readonly Row[]) =>
    table.map(([name, keras, labels, predictions]) => ({
      kind,
      name,
      keras,
      labels,
      predictions,
      shape: shape(),
      seed: seed(),
    }));
  return Array.from({ length: times }, () => [
    ...rows("loss", losses),
    ...rows("metric", metrics),
    ...constraints.map((make) => ({ kind: "constraint" as const, ...make(d), shape: shape(), seed: seed() })),
  ]).flat();
}
