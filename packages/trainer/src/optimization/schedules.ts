import { TrainerError } from "../trainer-error.ts";

/**
 * How the learning rate changes, as plain data; lengths are in epochs (fractions allowed), factors are of the base rate.
 * `warmup` climbs straight from `warmupFrom` (default 0) to the base rate first; the schedule proper begins after it.
 */
export type Schedule = { readonly warmup?: number; readonly warmupFrom?: number } & (
  | { readonly name: "constant" }
  /** Times `factor` every `every` epochs, or at each of the epochs `at`. */
  | { readonly name: "step"; readonly every?: number; readonly at?: readonly number[]; readonly factor?: number }
  /** Times `rate` an epoch, smoothly or (`staircase`) at its end. */
  | { readonly name: "exponential"; readonly rate: number; readonly staircase?: boolean }
  /** Half a cosine down to `min`; with `restarts` the first cycle lasts that long, the next `multiply` times it, each peak times `decay`. */
  | {
      readonly name: "cosine";
      readonly min?: number;
      readonly restarts?: number;
      readonly multiply?: number;
      readonly decay?: number;
    }
  /** Down to `end` as (1 - t) to the `power`. */
  | { readonly name: "polynomial"; readonly power?: number; readonly end?: number }
  /** Smith's one cycle: up from 1 / `divide` in the first `rise` of the run, then down to 1 / (`divide` * `finalDivide`), both as cosines. */
  | { readonly name: "one-cycle"; readonly rise?: number; readonly divide?: number; readonly finalDivide?: number }
);

export const scheduleNames = ["constant", "step", "exponential", "cosine", "polynomial", "one-cycle"] as const;

/** Where a run stands; `epochs` is how many it will have in all. */
export interface Progress {
  /** Steps done before this one, over all epochs. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly epochs: number;
}

/** The factor that the base learning rate is multiplied with for the step at `progress`. */
export function scheduleFactor(schedule: Schedule, { step, stepsPerEpoch, epochs }: Progress): number {
  const { warmup = 0, warmupFrom = 0 } = schedule;
  const epoch = step / stepsPerEpoch;
  if (epoch < warmup) return warmupFrom + (1 - warmupFrom) * (epoch / warmup);
  return factorAt(schedule, epoch, epoch - warmup, Math.max(epochs - warmup, Number.EPSILON));
}

function factorAt(schedule: Schedule, epoch: number, since: number, length: number): number {
  const part = Math.min(since / length, 1);
  switch (schedule.name) {
    case "constant":
      return 1;
    case "step": {
      const { every, at, factor = 0.1 } = schedule;
      const falls =
        at === undefined ? Math.floor(since / (every ?? length)) : at.filter((when) => epoch >= when).length;
      return factor ** falls;
    }
    case "exponential":
      return schedule.rate ** (schedule.staircase === true ? Math.floor(since) : since);
    case "cosine":
      return cosine(schedule, since, length);
    case "polynomial": {
      const { power = 1, end = 0 } = schedule;
      return end + (1 - end) * (1 - part) ** power;
    }
    case "one-cycle": {
      const { rise = 0.3, divide = 25, finalDivide = 1e4 } = schedule;
      const start = 1 / divide;
      return part < rise ? anneal(start, 1, part / rise) : anneal(1, start / finalDivide, (part - rise) / (1 - rise));
    }
  }
}

function cosine(schedule: Extract<Schedule, { name: "cosine" }>, since: number, length: number): number {
  const { min = 0, restarts, multiply = 2, decay = 1 } = schedule;
  if (restarts === undefined) return anneal(1, min, Math.min(since / length, 1));
  let begin = 0;
  let cycle = restarts;
  let peak = 1;
  while (since >= begin + cycle) {
    begin += cycle;
    cycle *= multiply;
    peak *= decay;
  }
  return min + (peak * (1 - min) * (1 + Math.cos((Math.PI * (since - begin)) / cycle))) / 2;
}

/** Half a cosine from `from` to `to` as `part` goes from 0 to 1. */
function anneal(from: number, to: number, part: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
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
 * Reads a schedule as typed on a command line: `cosine`, `cosine:warmup=5,min=0.01`, `step:at=30/60,factor=0.1`,
 * `exponential:rate=0.9,staircase=true`. Throws `TrainerError` naming what is known.
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
