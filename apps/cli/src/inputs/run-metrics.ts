import { oneOf, wholeFromOne } from "@convkit/errors";
import { readJson } from "@convkit/files";
import { numberOrNull, record, type StoredShape, storedProblems, throwStored } from "@convkit/trainer/internal";

/** The parts of a run's `metrics.json` that other commands read. */
export interface Metrics {
  readonly seconds: number;
  readonly imagesPerSecond: number | null;
  readonly best?: {
    readonly epoch: number;
    readonly valLoss?: number | null;
    readonly valAccuracy?: number | null;
  };
  /** The final evaluation of the run. `split` names its images, and is missing in older runs, which say `top1` for `accuracy`. */
  readonly test?: {
    readonly split?: "test" | "validation";
    readonly accuracy?: number | null;
    readonly loss: number | null;
    /** The metrics of labels, numbers and masks. */
    readonly metrics?: Readonly<Record<string, number | null>>;
  };
}

const shape: StoredShape = {
  fields: { seconds: ["a number", (value) => typeof value === "number"] },
  optional: {
    imagesPerSecond: numberOrNull,
    best: {
      fields: { epoch: wholeFromOne },
      optional: { valLoss: numberOrNull, valAccuracy: numberOrNull },
    },
    test: {
      fields: { loss: numberOrNull },
      optional: { accuracy: numberOrNull, split: oneOf(["test", "validation"]), metrics: record },
    },
  },
};

/** Reads a run's `metrics.json`. Throws a `FileError` or `TrainerError` that names the file if it is damaged. */
export async function readMetrics(file: string): Promise<Metrics> {
  const metrics = renamed(await readJson(file));
  throwStored(file, storedProblems("metrics", metrics, shape));
  return { imagesPerSecond: null, ...(metrics as unknown as Partial<Metrics>) } as Metrics;
}

/** The metrics of an older run with the name `accuracy` for `top1`. */
function renamed(metrics: unknown): unknown {
  const { test } = (metrics ?? {}) as { readonly test?: { readonly top1?: unknown } | null };
  if (typeof test !== "object" || test === null || !("top1" in test)) return metrics;
  const { top1, ...rest } = test;
  return { ...(metrics as object), test: { accuracy: top1, ...rest } };
}
