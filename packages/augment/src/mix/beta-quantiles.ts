import { OptionError, shown } from "@convkit/errors";

export interface BetaQuantiles {
  /** `table[i] ** power` represents the i-th of 256 equally likely parts of 0 to 1/2. */
  readonly table: readonly number[];
  readonly power: number;
}

/** Number of entries in the table. */
const parts = 256;
/** Points of the numerical integration. */
const points = 4096;

/**
 * The lower half of Beta(alpha, alpha) as a table, so that one uniform number gives one draw. Rejection sampling would
 * need a loop, which a graph does not have. With y = x^alpha the distribution function is smooth at 0: the integral of
 * x^(alpha-1) (1-x)^(alpha-1) dx is the integral of (1 - y^(1/alpha))^(alpha-1) dy / alpha. Throws an OptionError
 * unless alpha is above 0 and at most 100.
 */
export function betaQuantiles(where: string, alpha: number): BetaQuantiles {
  if (!(alpha > 0 && alpha <= 100)) {
    throw new OptionError(`${where}: expected an alpha above 0 and at most 100, got ${shown(alpha)}.`);
  }
  const power = 1 / alpha;
  const end = 0.5 ** alpha;
  const density = (y: number) => (1 - y ** power) ** (alpha - 1);
  const mass = new Float64Array(points + 1);
  for (let i = 1; i <= points; i++) mass[i] = mass[i - 1]! + density(((i - 0.5) / points) * end);
  const table: number[] = [];
  for (let part = 0, i = 0; part <= parts; part++) {
    const wanted = (part / parts) * mass[points]!;
    while (i < points && mass[i + 1]! < wanted) i++;
    const share = i === points ? 0 : (wanted - mass[i]!) / (mass[i + 1]! - mass[i]!);
    table.push(((i + share) / points) * end);
  }
  return { table, power };
}
