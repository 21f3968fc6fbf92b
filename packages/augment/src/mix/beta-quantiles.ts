import { DataError } from "../data-error.ts";

export interface BetaQuantiles {
  /** `table[i] ** power` is the i-th of equally likely steps between 0 and 1/2. */
  table: number[];
  power: number;
}

const steps = 256;
const fine = 4096;

/**
 * The lower half of Beta(alpha, alpha) as a table, so that one uniform number gives one from it (rejection would need loops
 * that a graph does not have). Its distribution function is smooth in y = x^alpha: the integral of
 * x^(alpha-1) (1-x)^(alpha-1) dx is that of (1 - y^(1/alpha))^(alpha-1) dy / alpha.
 */
export function betaQuantiles(alpha: number): BetaQuantiles {
  if (!(alpha > 0 && alpha <= 100)) throw new DataError(`alpha should be above 0 and at most 100, not ${alpha}`);
  const power = 1 / alpha;
  const end = 0.5 ** alpha;
  const density = (y: number) => (1 - y ** power) ** (alpha - 1);
  const mass = new Float64Array(fine + 1);
  for (let i = 1; i <= fine; i++) {
    mass[i] = mass[i - 1]! + density(((i - 0.5) / fine) * end);
  }
  const table: number[] = [];
  for (let step = 0, i = 0; step <= steps; step++) {
    const wanted = (step / steps) * mass[fine]!;
    while (i < fine && mass[i + 1]! < wanted) i++;
    const share = i === fine ? 0 : (wanted - mass[i]!) / (mass[i + 1]! - mass[i]!);
    table.push(((i + share) / fine) * end);
  }
  return { table, power };
}
