import { hashText } from "@convkit/core/internal";

/**
 * Runs a synchronous `fn` while `Math.random` draws from a seed and the number of the step. tfjs' own random layers
 * (dropout, noise) have no other source op by op: without this, each process would draw other numbers.
 */
export function withSeededMath<T>(seed: number, step: number, fn: () => T): T {
  const { random } = Math;
  let drawn = 0;
  Math.random = () => {
    drawn += 1;
    return hashText(`${step}/${drawn}`, seed) / 2 ** 32;
  };
  try {
    return fn();
  } finally {
    Math.random = random;
  }
}
