import { type ValueRule, wholeFromZero } from "@convkit/errors";
import { type JsonValue, readJson, writeFileAtomic } from "@convkit/files";
import { listOf, numberOrNull, record, type StoredShape, storedProblems, text, throwStored } from "../checks/stored.ts";
import type { HealthRecord } from "./step-health.ts";

/** The layout of `health.json`: names once, then rows of numbers for each measured step. */
interface StoredHealth {
  readonly weights: readonly { readonly name: string; readonly size: number }[];
  readonly activations: readonly string[];
  readonly steps: readonly StoredStep[];
}

interface StoredStep {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number | null;
  /** For each weight its place in the list of names, gradient norm, weight norm, norm of the update. */
  readonly weights: readonly Row[];
  /** For each layer its place in the list of names, mean, deviation, norm, share of dead units. */
  readonly activations: readonly Row[];
}

type Row = readonly (number | null)[];

/** Enough for a million rows; a larger file cannot be one of a run. */
const maxBytes = 256 << 20;

const rowsOf = (cells: number, names: number): ValueRule => [
  `a list of rows of ${cells} numbers`,
  (value) =>
    Array.isArray(value) &&
    value.every(
      (row: unknown) =>
        Array.isArray(row) &&
        row.length === cells &&
        row.every(numberOrNull[1]) &&
        Number.isInteger(row[0]) &&
        row[0] >= 0 &&
        row[0] < names,
    ),
];

/** Writes the measured steps of a run, with six digits. Throws a `FileError` if the file cannot be written. */
export async function writeHealth(path: string, records: readonly HealthRecord[]): Promise<void> {
  const sizes = new Map(records.flatMap(({ weights }) => weights.map(({ name, size }) => [name, size] as const)));
  const layers = new Set(records.flatMap(({ activations }) => activations.map(({ layer }) => layer)));
  const [weightPlaces, layerPlaces] = [placesOf([...sizes.keys()]), placesOf([...layers])];
  const steps = records.map(({ step, epoch, loss, weights, activations }): StoredStep => ({
    step,
    epoch,
    loss: sixDigits(loss),
    weights: weights.map(({ name, gradientNorm, weightNorm, updateNorm }) => [
      weightPlaces.get(name)!,
      ...[gradientNorm, weightNorm, updateNorm].map(sixDigits),
    ]),
    activations: activations.map(({ layer, mean, deviation, norm, dead }) => [
      layerPlaces.get(layer)!,
      ...[mean, deviation, norm, dead].map(sixDigits),
    ]),
  }));
  const weights = [...sizes].map(([name, size]) => ({ name, size }));
  const lines = steps.map((step) => JSON.stringify(step)).join(",\n");
  const head = `"weights":${JSON.stringify(weights)},\n"activations":${JSON.stringify([...layers])}`;
  await writeFileAtomic(path, `{${head},\n"steps":[\n${lines}\n]}\n`);
}

/** Reads the measured steps of a run. Throws a `FileError` or `TrainerError` that names the file if it is missing or damaged. */
export async function readHealth(path: string): Promise<HealthRecord[]> {
  const stored = (await readJson(path, { maxBytes })) as JsonValue as unknown as StoredHealth;
  const lists: StoredShape = { fields: { weights: listOf(record), activations: listOf(text), steps: listOf(record) } };
  throwStored(path, storedProblems("health", stored, lists));
  const [weightNames, layerNames] = [stored.weights, stored.activations];
  const weightShape: StoredShape = { fields: { name: text, size: wholeFromZero } };
  const stepShape: StoredShape = {
    fields: {
      step: wholeFromZero,
      epoch: wholeFromZero,
      loss: numberOrNull,
      weights: rowsOf(4, weightNames.length),
      activations: rowsOf(5, layerNames.length),
    },
  };
  throwStored(path, [
    ...weightNames.flatMap((weight, index) => storedProblems(`weights[${index}]`, weight, weightShape)),
    ...stored.steps.flatMap((step, index) => storedProblems(`steps[${index}]`, step, stepShape)),
  ]);
  return stored.steps.map(({ step, epoch, loss, weights, activations }) => ({
    step,
    epoch,
    loss: loss ?? NaN,
    weights: weights.map(([place, gradientNorm, weightNorm, updateNorm]) => ({
      ...weightNames[place!]!,
      gradientNorm: gradientNorm ?? NaN,
      weightNorm: weightNorm ?? NaN,
      updateNorm: updateNorm ?? NaN,
    })),
    activations: activations.map(([place, mean, deviation, norm, dead]) => ({
      layer: layerNames[place!]!,
      mean: mean ?? NaN,
      deviation: deviation ?? NaN,
      norm: norm ?? NaN,
      dead: dead ?? null,
    })),
  }));
}

function placesOf(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name, place) => [name, place]));
}

/** JSON has no NaN and no infinities: they become null. */
function sixDigits(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(6));
}
