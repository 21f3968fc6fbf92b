import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";

/** A tensor with a letter for every axis. */
interface Labeled {
  readonly x: tf.Tensor;
  readonly labels: string;
}

/**
 * The letters of each operand and of the result of an equation such as `...c,cd->...d`. Capital letters from Z down take
 * the place of the ellipsis. `ranks` has the operands' numbers of axes; undefined for an operand without an ellipsis.
 */
export function spelledOut(equation: string, ranks: readonly (number | undefined)[]): string[] {
  const [left, right] = equation.replaceAll(" ", "").split("->") as [string, string | undefined];
  const inputs = left.split(",");
  const widths = inputs.map((labels, i) => (labels.includes("...") ? (ranks[i] ?? 0) - (labels.length - 3) : 0));
  const spare = [..."ZYXWVUTS"].filter((letter) => !equation.includes(letter));
  const width = Math.max(0, ...widths);
  const letters = spare.slice(0, width).toReversed();
  const whole = inputs.map((labels, i) => labels.replace("...", letters.slice(width - widths[i]!).join("")));
  const all = [...whole, right?.replace("...", letters.join("")) ?? ""];
  const isPlain = (labels: string): boolean => /^[A-Za-z]*$/.test(labels) && new Set(labels).size === labels.length;
  if (right === undefined || inputs.length !== ranks.length || !all.every(isPlain))
    throw new OptionError(
      `einsum: expected "->" and ${ranks.length} operands without a repeated letter, got ${equation}`,
    );
  return all;
}

/** The small letter that stands for each letter of an equation: the letter itself, or a spare one for a capital. */
export function smallLetters(equation: string): (text: string) => string {
  const spare = [..."abcdefghijklmnopqrstuvwxyz"].filter((letter) => !equation.includes(letter));
  const capitals = [...new Set(equation.match(/[A-Z]/g) ?? [])];
  const small = new Map(capitals.map((letter, index) => [letter, spare[index]]));
  return (text) => text.replaceAll(/[A-Z]/g, (letter) => small.get(letter) ?? letter);
}

/** Computes an einsum by matrix products, which every backend has. Throws for a repeated letter in one operand. */
export function einsum(equation: string, operands: readonly tf.Tensor[]): tf.Tensor {
  const inputs = spelledOut(
    equation,
    operands.map(({ rank }) => rank),
  );
  const right = inputs.at(-1)!;
  const parts = operands.map((x, index): Labeled => ({ x, labels: inputs[index]! }));
  const joined = parts.slice(1).reduce((a, b, index) => {
    const later = parts.slice(index + 2).map(({ labels }) => labels);
    return contract(a, b, [right, ...later].join(""));
  }, parts[0]!);
  const whole = summed(joined, right);
  return tf.transpose(
    whole.x,
    [...right].map((label) => whole.labels.indexOf(label)),
  );
}

/** Sums over the axes that no later term needs. */
function summed({ x, labels }: Labeled, wanted: string): Labeled {
  const axes = [...labels].flatMap((label, axis) => (wanted.includes(label) ? [] : [axis]));
  if (axes.length === 0) return { x, labels };
  return { x: tf.sum(x, axes), labels: [...labels].filter((label) => wanted.includes(label)).join("") };
}

/** The product of two operands, summed over the shared axes that no later term needs. */
function contract(first: Labeled, second: Labeled, wanted: string): Labeled {
  const [a, b] = [summed(first, wanted + second.labels), summed(second, wanted + first.labels)];
  const sizes = new Map([a, b].flatMap(({ x, labels }) => [...labels].map((label, axis) => [label, x.shape[axis]!])));
  const both = [...a.labels].filter((label) => b.labels.includes(label));
  const batch = both.filter((label) => wanted.includes(label));
  const inner = both.filter((label) => !wanted.includes(label));
  const [rows, columns] = [a, b].map(({ labels }) => [...labels].filter((label) => !both.includes(label)));
  const count = (labels: readonly string[]): number => labels.reduce((all, label) => all * sizes.get(label)!, 1);
  const arranged = ({ x, labels }: Labeled, order: readonly string[], shape: number[]): tf.Tensor =>
    tf.reshape(
      tf.transpose(
        x,
        order.map((label) => labels.indexOf(label)),
      ),
      shape,
    );
  const left = arranged(a, [...batch, ...rows!, ...inner], [count(batch), count(rows!), count(inner)]);
  const right = arranged(b, [...batch, ...inner, ...columns!], [count(batch), count(inner), count(columns!)]);
  const labels = [...batch, ...rows!, ...columns!];
  return {
    x: tf.reshape(
      tf.matMul(left, right),
      labels.map((label) => sizes.get(label)!),
    ),
    labels: labels.join(""),
  };
}
