/** A step of a rate finder. */
export interface RatePoint {
  readonly learningRate: number;
  /** The loss of the step. */
  readonly loss: number;
  /** The moving average of the losses up to the step. */
  readonly smoothed: number;
}

/** Learning rates that a curve of losses suggests; undefined where it never falls. */
export interface RateSuggestions {
  /** In the middle of the longest fall, as fastai's `valley`: the one to take. */
  readonly valley: number | undefined;
  /** Where the loss falls fastest over the logarithm of the rate, as fastai's `steep`. */
  readonly steepest: number | undefined;
  /** A tenth of the rate with the smallest loss, as fastai's `minimum`. */
  readonly minimum: number | undefined;
}

/** The factor on the old mean in fastai's moving average of losses. */
const beta = 0.98;

/** The averages of losses up to each, corrected for the start at 0. */
export function smoothedLosses(losses: readonly number[]): number[] {
  let mean = 0;
  return losses.map((loss, index) => {
    mean = beta * mean + (1 - beta) * loss;
    return mean / (1 - beta ** (index + 1));
  });
}

/** Suggests rates by the smoothed losses, without the first tenth and the last five of `steps` steps, as fastai does. */
export function suggestRates(points: readonly RatePoint[], steps: number): RateSuggestions {
  const used = points.slice(Math.floor(steps / 10), -5).filter(({ smoothed }) => Number.isFinite(smoothed));
  const [rates, losses] = [used.map(({ learningRate }) => learningRate), used.map(({ smoothed }) => smoothed)];
  const lowest = losses.indexOf(Math.min(...losses));
  return {
    valley: valley(rates, losses),
    steepest: steepest(rates, losses),
    minimum: lowest > 0 ? rates[lowest]! / 10 : undefined,
  };
}

/** The middle of the longest falling series of losses, which may leave out some, counted as fastai does. */
function valley(rates: readonly number[], losses: readonly number[]): number | undefined {
  const lengths = losses.map(() => 1);
  let [start, end] = [0, 0];
  for (let i = 1; i < losses.length; i += 1)
    for (let j = 0; j < i; j += 1) {
      if (losses[i]! < losses[j]! && lengths[i]! < lengths[j]! + 1) lengths[i] = lengths[j]! + 1;
      if (lengths[end]! < lengths[i]!) {
        end = i;
        start = end - lengths[end]!;
      }
    }
  const section = (end - start) / 3;
  return end === 0 ? undefined : rates[Math.max(0, start + Math.trunc(section) + Math.trunc(section / 2))];
}

function steepest(rates: readonly number[], losses: readonly number[]): number | undefined {
  const slopes = losses.slice(1).map((loss, i) => (loss - losses[i]!) / Math.log(rates[i + 1]! / rates[i]!));
  const least = Math.min(...slopes);
  return least < 0 ? rates[slopes.indexOf(least)] : undefined;
}
