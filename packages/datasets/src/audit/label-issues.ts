import { shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";

/** An image whose label is probably wrong. */
export interface LabelIssue {
  readonly index: number;
  readonly label: number;
  /** The most probable class. */
  readonly predicted: number;
  /** Probability of the label: the lower, the likelier is the label wrong. */
  readonly probability: number;
}

/**
 * Finds labels that are probably wrong by confident learning (Northcutt et al. 2021, https://arxiv.org/abs/1911.00068),
 * the least probable first: the images that `cleanlab`'s `find_label_issues` gives, pruned by noise rate.
 * `probabilities` are `[n, classes]`, and should come from a model that did not train on these images, as by
 * cross-validation. Throws a DataError for other lengths, labels that are no class and probabilities that are none.
 */
export function findLabelIssues(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classes: number,
): LabelIssue[] {
  checkArguments(labels, probabilities, classes);
  const probability = (image: number, label: number): number => probabilities[image * classes + label]!;
  const images = Array.from({ length: labels.length }, (_, image) => image);
  const ofClass = Array.from({ length: classes }, (): number[] => []);
  for (const image of images) ofClass[labels[image]!]!.push(image);
  const joint = calibrated(
    confidentJoint(labels, probability, ofClass),
    ofClass.map(({ length }) => length),
  );
  const wrong = new Set<number>();
  const counts = atLeastOneRight(joint);
  for (const [label, members] of ofClass.entries()) {
    if (members.length <= 1) continue;
    for (let other = 0; other < classes; other++) {
      const count = counts[other]![label]!;
      if (other === label || count <= 0) continue;
      const margin = (image: number) => probability(image, other) - probability(image, label);
      for (const image of members.toSorted((a, b) => margin(b) - margin(a)).slice(0, count)) wrong.add(image);
    }
  }
  return [...wrong]
    .map((index): LabelIssue => {
      const label = labels[index]!;
      return {
        index,
        label,
        predicted: mostProbable(index, classes, probability),
        probability: probability(index, label),
      };
    })
    .filter(
      ({ index, label, predicted, probability: own }) =>
        own + tolerance < probability(index, predicted) && predicted !== label,
    )
    .toSorted((a, b) => a.probability - b.probability || a.index - b.index);
}

/** What cleanlab takes for equal. */
const tolerance = 1e-6;

type Probability = (image: number, label: number) => number;

function checkArguments(labels: ArrayLike<number>, probabilities: ArrayLike<number>, classes: number): void {
  if (!Number.isInteger(classes) || classes < 2)
    throw new DataError(`findLabelIssues: expected a whole number of classes from 2, got ${shown(classes)}`);
  if (probabilities.length !== labels.length * classes)
    throw new DataError(
      `findLabelIssues: expected ${labels.length * classes} probabilities for ${labels.length} labels and ${classes} classes, got ${probabilities.length}`,
    );
  for (let image = 0; image < labels.length; image++) {
    const label = labels[image]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      throw new DataError(
        `findLabelIssues: expected classes from 0 to ${classes - 1}, got ${shown(label)} for image ${image}`,
      );
  }
  for (let at = 0; at < probabilities.length; at++) {
    const value = probabilities[at]!;
    if (!(value >= 0 && value <= 1 + tolerance))
      throw new DataError(
        `findLabelIssues: expected probabilities from 0 to 1, got ${value} for image ${Math.floor(at / classes)}; use the outputs of a softmax`,
      );
  }
}

/** The first of the most probable classes. */
function mostProbable(image: number, classes: number, probability: Probability): number {
  let best = 0;
  for (let label = 1; label < classes; label++) if (probability(image, label) > probability(image, best)) best = label;
  return best;
}

/**
 * Counts images by label and by the class that they confidently belong to: a class whose probability is at least the
 * mean probability of that class among the images with its label.
 */
function confidentJoint(
  labels: ArrayLike<number>,
  probability: Probability,
  ofClass: readonly (readonly number[])[],
): number[][] {
  const classes = ofClass.length;
  const thresholds = ofClass.map((members, label) => {
    if (members.length === 0) return 2;
    const sum = members.reduce((total, image) => total + probability(image, label), 0);
    return Math.max(sum / members.length, tolerance);
  });
  const joint = ofClass.map(() => Array.from({ length: classes }, () => 0));
  for (let image = 0; image < labels.length; image++) {
    const confident = thresholds.flatMap((least, label) =>
      probability(image, label) >= least - tolerance ? [label] : [],
    );
    const [first] = confident;
    if (first === undefined) continue;
    joint[labels[image]!]![confident.length > 1 ? mostProbable(image, classes, probability) : first]! += 1;
  }
  for (const [label, row] of joint.entries()) row[label] = Math.max(1, row[label]!);
  return joint;
}

/** Scales each row to the number of images with its label. */
function calibrated(joint: readonly (readonly number[])[], counts: readonly number[]): number[][] {
  const scaled = joint.map((row, label) => {
    const sum = row.reduce((total, count) => total + count, 0);
    return row.map((count) => (count / sum) * counts[label]!);
  });
  const [total, all] = [sumOf(scaled.flat()), sumOf(counts)];
  return scaled.map((row) => rounded(row.map((count) => (count / total) * all)));
}

/** The counts by true class and label, with at least one right image of each label. */
function atLeastOneRight(joint: readonly (readonly number[])[]): number[][] {
  const classes = joint.length;
  const counts = joint.map((_, truth) => joint.map((row) => row[truth]!));
  for (let label = 0; label < classes; label++) {
    const right = Math.max(1, counts[label]![label]!);
    const added = right - counts[label]![label]!;
    const rates = Math.max(1, counts.filter((row) => row[label] !== 0).length - 1);
    for (const row of counts) row[label] = Math.max(0, row[label]! - added / rates);
    counts[label]![label] = right;
  }
  return counts.map((row) => rounded(row.map(Math.trunc)));
}

/** Whole numbers with the rounded sum of the given ones; those with the largest error are changed. */
function rounded(values: readonly number[]): number[] {
  const whole = values.map(halfToEven);
  const wanted = halfToEven(sumOf(values));
  for (let missing = wanted - sumOf(whole); missing !== 0; missing = wanted - sumOf(whole)) {
    const byError = [...values.keys()].toSorted((a, b) => values[a]! - whole[a]! - (values[b]! - whole[b]!));
    if (missing > 0) byError.reverse();
    for (const place of byError.slice(0, Math.abs(missing))) whole[place]! += Math.sign(missing);
  }
  return whole;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function halfToEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest === 0.5 ? down + (down % 2) : Math.round(value);
}
