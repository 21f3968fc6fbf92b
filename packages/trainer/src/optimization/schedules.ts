import { TrainerError } from "../trainer-error.ts";

/**
 * How the learning rate changes, as plain data. Lengths are in epochs (fractions allowed), factors are relative to the
 * base rate. `warmup` first rises linearly from `warmupFrom` (0 by default) to the base rate; then the schedule begins.
 */
export type Schedule = {
  /** Epochs of the linear rise at the beginning; 0 by default. */
  readonly warmup?: number | undefined;
  /** The factor that the rise begins with; 0 by default. */
  readonly warmupFrom?: number | undefined;
} & (
  | { readonly name: "constant" }
  /** Multiplies by `factor` (0.1 by default) every `every` epochs, or at each of the epochs `at`. */
  | {
      readonly name: "step";
      /** Epochs between two falls; by default the rate does not fall. */
      readonly every?: number | undefined;
      /** Epochs at which the rate falls, instead of `every`; none by default. */
      readonly at?: readonly number[] | undefined;
      /** Factor of each fall; 0.1 by default. */
      readonly factor?: number | undefined;
    }
  /** Multiplies by `rate` per epoch, continuously or (`staircase`) at its end. */
  | {
      readonly name: "exponential";
      readonly rate: number;
      /** Whether the rate falls only at the end of each epoch; false by default. */
      readonly staircase?: boolean | undefined;
    }
  /**
   * Half a cosine down to `min`. With `restarts`, the first cycle has that length; each later cycle is `multiply` times
   * as long, with its peak multiplied by `decay`.
   */
  | {
      readonly name: "cosine";
      /** The factor at the end of a cycle; 0 by default. */
      readonly min?: number | undefined;
      /** Epochs of the first cycle; by default one cycle lasts to the end of the run. */
      readonly restarts?: number | undefined;
      /** Factor on the length of each further cycle; 2 by default. */
      readonly multiply?: number | undefined;
      /** Factor on the peak of each further cycle; 1 by default. */
      readonly decay?: number | undefined;
    }
  /** Falls to `end`, as (1 - t) to the power of `power`. */
  | {
      readonly name: "polynomial";
      /** The exponent; 1, a straight line, by default. */
      readonly power?: number | undefined;
      /** The factor at the end of the run; 0 by default. */
      readonly end?: number | undefined;
    }
  /**
   * Smith's one cycle, like PyTorch's OneCycleLR: rises from 1 / `divide` during the first `rise` of the run, then
   * falls to 1 / (`divide` * `finalDivide`) in the last step, both as cosines.
   */
  | {
      readonly name: "one-cycle";
      /** The share of the run in which the rate rises; 0.3 by default. */
      readonly rise?: number | undefined;
      /** The base rate divided by this is the first rate; 25 by default. */
      readonly divide?: number | undefined;
      /** The first rate divided by this is the last rate; 10,000 by default. */
      readonly finalDivide?: number | undefined;
    }
);

export const scheduleNames = ["constant", "step", "exponential", "cosine", "polynomial", "one-cycle"] as const;

/** The progress of a run; `epochs` is the total number. */
export interface Progress {
  /** Finished steps before this one, over all epochs. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly epochs: number;
}

/** The factor on the base learning rate for the step at `progress`. */
export function scheduleFactor(schedule: Schedule, { step, stepsPerEpoch, epochs }: Progress): number {
  const { warmup = 0, warmupFrom = 0 } = schedule;
  const epoch = step / stepsPerEpoch;
  // Computes with integers as far as possible: 4.1 - 0.1 epochs are less than 4, but 41 - 1 steps are exactly 40.
  const since = (step - warmup * stepsPerEpoch) / stepsPerEpoch;
  if (!reaches(since, 0)) return warmupFrom + (1 - warmupFrom) * (epoch / warmup);
  const length = Math.max(epochs - warmup, Number.EPSILON);
  return factorAt(schedule, { epoch, since: Math.max(0, since), length, stepsPerEpoch });
}

/** Finished epochs in total, epochs since the warm-up, and the number of epochs after the warm-up. */
interface Place {
  readonly epoch: number;
  readonly since: number;
  readonly length: number;
  readonly stepsPerEpoch: number;
}

function factorAt(schedule: Schedule, place: Place): number {
  const { epoch, since, length } = place;
  const part = Math.min(since / length, 1);
  switch (schedule.name) {
    case "constant":
      return 1;
    case "step": {
      const { every = length, at, factor = 0.1 } = schedule;
      const falls = at === undefined ? wholePart(since / every) : at.filter((when) => reaches(epoch, when)).length;
      return factor ** falls;
    }
    case "exponential":
      return schedule.rate ** (schedule.staircase === true ? wholePart(since) : since);
    case "cosine":
      return cosine(schedule, since, length);
    case "polynomial": {
      const { power = 1, end = 0 } = schedule;
      return end + (1 - end) * (1 - part) ** power;
    }
    case "one-cycle":
      return oneCycle(schedule, place);
  }
}

function cosine(schedule: Extract<Schedule, { name: "cosine" }>, since: number, length: number): number {
  const { min = 0, restarts, multiply = 2, decay = 1 } = schedule;
  if (restarts === undefined) return anneal(1, min, Math.min(since / length, 1));
  let begin = 0;
  let cycle = restarts;
  let peak = 1;
  while (reaches(since, begin + cycle)) {
    begin += cycle;
    cycle *= multiply;
    peak *= decay;
  }
  return min + (peak * (1 - min) * (1 + Math.cos((Math.PI * Math.max(0, since - begin)) / cycle))) / 2;
}

/** PyTorch counts n steps from 0 to n - 1: the peak is at step `rise` * n - 1. */
function oneCycle(schedule: Extract<Schedule, { name: "one-cycle" }>, { since, length, stepsPerEpoch }: Place): number {
  const { rise = 0.3, divide = 25, finalDivide = 1e4 } = schedule;
  const steps = length * stepsPerEpoch;
  const [step, peak, last] = [since * stepsPerEpoch, rise * steps - 1, steps - 1];
  if (reaches(peak, step) && peak > 0) return anneal(1 / divide, 1, Math.min(step / peak, 1));
  const down = Math.min((step - peak) / Math.max(last - peak, Number.EPSILON), 1);
  return anneal(1, 1 / (divide * finalDivide), down);
}

/** Half a cosine from `from` to `to` as `part` goes from 0 to 1. */
function anneal(from: number, to: number, part: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
}

/** Far below one step of any run, far above the rounding errors of float64. */
const tolerance = 1e-9;

/** True if `value` is at least `bound`, apart from rounding errors. */
function reaches(value: number, bound: number): boolean {
  return value >= bound - tolerance * Math.max(1, Math.abs(bound));
}

/** Rounds down, except that a number just below an integer counts as this integer. */
function wholePart(value: number): number {
  const nearest = Math.round(value);
  return reaches(value, nearest) && nearest > value ? nearest : Math.floor(value);
}

const numbers = new Set([
  "warmup",
  "warmupFrom",
  "every",
  "factor",
  "rate",
  "min",
  "restarts",
  "multiply",
  "decay",
  "power",
  "end",
  "rise",
  "divide",
  "finalDivide",
]);

/**
 * Parses a schedule from the command line: `cosine`, `cosine:warmup=5,min=0.01`, `step:at=30/60,factor=0.1`,
 * `exponential:rate=0.9,staircase=true`. Throws `TrainerError` that lists the known names.
 */
export function parseSchedule(text: string): Schedule {
  const [name = "", rest = ""] = text.split(/:(.*)/s);
  if (!(scheduleNames as readonly string[]).includes(name))
    throw new TrainerError(`Unknown schedule "${name}": known are ${scheduleNames.join(", ")}.`);
  const fields = rest.split(",").filter((field) => field !== "");
  const entries = fields.map((field) => {
    const [key = "", value = ""] = field.split("=");
    const parsed = key === "at" ? value.split("/").map(Number) : key === "staircase" ? value === "true" : Number(value);
    if ((!numbers.has(key) && key !== "at" && key !== "staircase") || [parsed].flat().some(Number.isNaN))
      throw new TrainerError(
        `Schedule option "${field}" must be one of ${[...numbers, "at", "staircase"].join(", ")} with a number, as in "${name}:warmup=5".`,
      );
    return [key, parsed] as const;
  });
  const schedule = { name, ...Object.fromEntries(entries) } as Schedule;
  if (schedule.name === "exponential" && schedule.rate === undefined)
    throw new TrainerError(`The exponential schedule needs its rate an epoch, as in "exponential:rate=0.95".`);
  return schedule;
}
