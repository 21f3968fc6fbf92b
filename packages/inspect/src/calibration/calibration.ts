import { checkWhole } from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";

/** What a network says about images whose classes are known. */
export interface Judged {
  /** Logits, before softmax: `[n, classes]`. */
  readonly logits: Float32Array | readonly number[];
  /** The true class of each image: `[n]`. */
  readonly labels: Int32Array | Uint8Array | readonly number[];
}

export interface CalibrationOptions {
  /** Bins of equal width from 0 to 1; 15 by default. */
  readonly bins?: number | undefined;
  /** Divides the logits, as `temperatureScaling` finds it; 1 by default. */
  readonly temperature?: number | undefined;
}

const names: OptionNames<CalibrationOptions> = { bins: true, temperature: true };

/** The images whose highest probability lies above `from` and not above `to`: one bar of a reliability diagram. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean of the highest probabilities; NaN without images. */
  readonly confidence: number;
  /** Share of images whose class is right; NaN without images. */
  readonly accuracy: number;
}

/** How far a network's probabilities are from how often it is right. */
export interface Calibration {
  readonly bins: readonly ReliabilityBin[];
  /** Expected calibration error: the mean distance of confidence and accuracy, bins weighted by their images. */
  readonly ece: number;
  /** Maximum calibration error: the largest distance of a bin. */
  readonly mce: number;
  /** Mean negative logarithm of the true class' probability. */
  readonly nll: number;
  readonly accuracy: number;
}

/**
 * The reliability diagram of a network and its calibration errors. Guo et al. 2017, https://arxiv.org/abs/1706.04599
 *
 * Throws an `OptionError` for logits that are not a row a label, and labels that are no class.
 */
export function calibration(judged: Judged, options?: CalibrationOptions): Calibration {
  const where = "calibration";
  checkOptions(where, options, names);
  const { bins: count = 15, temperature = 1 } = options ?? {};
  checkWhole(where, "bins", count, 1);
  if (!(typeof temperature === "number" && temperature > 0)) {
    throw new OptionError(`${where}: expected temperature to be a number above 0, got ${shown(temperature)}.`);
  }
  const rows = checkedRows(where, judged);
  const sums = Array.from({ length: count }, () => ({ count: 0, confidence: 0, right: 0 }));
  let nll = 0;
  for (const { logits, label } of rows) {
    const probabilities = softmax(logits, 1 / temperature);
    const best = probabilities.indexOf(Math.max(...probabilities));
    const confidence = probabilities[best] as number;
    const bin = sums[Math.min(Math.max(Math.ceil(confidence * count) - 1, 0), count - 1)]!;
    bin.count += 1;
    bin.confidence += confidence;
    bin.right += best === label ? 1 : 0;
    nll -= Math.log(Math.max(probabilities[label] as number, Number.MIN_VALUE));
  }
  const bins = sums.map((bin, i): ReliabilityBin => ({
    from: i / count,
    to: (i + 1) / count,
    count: bin.count,
    confidence: bin.confidence / bin.count,
    accuracy: bin.right / bin.count,
  }));
  const gaps = bins.map((bin) => (bin.count === 0 ? 0 : Math.abs(bin.confidence - bin.accuracy)));
  const right = sums.reduce((sum, bin) => sum + bin.right, 0);
  return {
    bins,
    ece: gaps.reduce((sum, gap, i) => sum + gap * bins[i]!.count, 0) / rows.length,
    mce: Math.max(...gaps),
    nll: nll / rows.length,
    accuracy: right / rows.length,
  };
}

/** The number that logits are divided by. */
export interface TemperatureScaling {
  /** Above 1 for a network that is too sure. */
  readonly temperature: number;
  readonly before: Calibration;
  readonly after: Calibration;
}

/**
 * The temperature with the smallest negative log-likelihood: dividing the logits by it changes no class, only how sure the
 * network is. Find it on validation images, never on those of the test. Guo et al. 2017
 *
 * Throws as `calibration` does, and where every class is right, so that no temperature is the best.
 */
export function temperatureScaling(judged: Judged, options?: Pick<CalibrationOptions, "bins">): TemperatureScaling {
  const where = "temperatureScaling";
  checkOptions(where, options, { bins: true });
  const rows = checkedRows(where, judged);
  // The derivative of the likelihood by 1 / temperature rises, so halving the interval finds where it is 0.
  const slope = (inverse: number): number =>
    rows.reduce((sum, { logits, label }) => {
      const probabilities = softmax(logits, inverse);
      const mean = probabilities.reduce((total, probability, i) => total + probability * (logits[i] as number), 0);
      return sum + mean - (logits[label] as number);
    }, 0);
  let [low, high] = [-10, 10];
  if (slope(2 ** low) >= 0 || slope(2 ** high) <= 0) {
    throw new OptionError(
      `${where}: no temperature from ${2 ** low} to ${2 ** high} is the best; give images of which some are classified right and some wrong.`,
    );
  }
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2;
    if (slope(2 ** middle) < 0) low = middle;
    else high = middle;
  }
  const temperature = 2 ** -((low + high) / 2);
  const bins = options?.bins;
  return {
    temperature,
    before: calibration(judged, { bins }),
    after: calibration(judged, { bins, temperature }),
  };
}

function checkedRows(where: string, { logits, labels }: Judged): { logits: number[]; label: number }[] {
  const classes = logits.length / labels.length;
  if (!Number.isInteger(classes) || classes < 2) {
    throw new OptionError(
      `${where}: expected logits [n, classes] of two classes or more for n labels, got ${logits.length} logits and ${labels.length} labels.`,
    );
  }
  const values = Array.from(logits);
  const strange = values.findIndex((value) => !Number.isFinite(value));
  if (strange >= 0) throw new OptionError(`${where}: expected logits that are numbers, got ${shown(values[strange])}.`);
  return Array.from(labels, (label, i) => {
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new OptionError(`${where}: expected labels from 0 to ${classes - 1}, got ${shown(label)} at ${i}.`);
    }
    return { logits: values.slice(i * classes, (i + 1) * classes), label };
  });
}

function softmax(logits: readonly number[], inverseTemperature: number): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp((logit - most) * inverseTemperature));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}
