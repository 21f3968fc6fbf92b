import { OptionError, checkOptions, shown } from "@convkit/errors";
import { chain, concat, maxPool, ofKind } from "@convkit/core";
import type { UnnamedBlock } from "@convkit/core";
import { checkFunctions, checkWhole } from "@convkit/core/internal";
import { convRelu } from "./conv-unit.ts";
import type { ConvUnit } from "./conv-unit.ts";

/** Filters of an inception module as in GoogLeNet's table: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection. */
export type InceptionFilters = readonly [
  one: number,
  reduce3: number,
  three: number,
  reduce5: number,
  five: number,
  pool: number,
];

export interface InceptionOptions {
  /** Every convolution of the module: `convRelu` by default. */
  readonly unit?: ConvUnit | undefined;
}

const same = { padding: "same" } as const;

/**
 * Four branches on one map, side by side; the 3x3 and 5x5 convolutions follow 1x1 bottlenecks: `[n, h, w, c] -> [n, h, w, one + three + five + pool]`.
 * Szegedy et al. 2014, figure 2b, https://arxiv.org/abs/1409.4842
 */
export function inception(filters: InceptionFilters, options: InceptionOptions = {}): UnnamedBlock {
  const { unit = convRelu } = checked("inception", filters, 6, options);
  const [one, reduce3, three, reduce5, five, pool] = filters;
  return ofKind(
    "inception",
    concat({
      b1: unit(one, 1, same),
      b2: chain({ reduce: unit(reduce3, 1, same), conv: unit(three, 3, same) }),
      b3: chain({ reduce: unit(reduce5, 1, same), conv: unit(five, 5, same) }),
      b4: chain({ pool: maxPool(3, 1, same), project: unit(pool, 1, same) }),
    }),
  );
}

/**
 * `inception` without bottlenecks: `[n, h, w, c] -> [n, h, w, one + three + five + c]`. Szegedy et al. 2014, figure 2a,
 * https://arxiv.org/abs/1409.4842
 */
export function naiveInception(
  filters: readonly [one: number, three: number, five: number],
  options: InceptionOptions = {},
): UnnamedBlock {
  const { unit = convRelu } = checked("naiveInception", filters, 3, options);
  const [one, three, five] = filters;
  return ofKind(
    "naive_inception",
    concat({
      b1: unit(one, 1, same),
      b2: unit(three, 3, same),
      b3: unit(five, 5, same),
      b4: maxPool(3, 1, same),
    }),
  );
}

/**
 * `inception` with each n x n convolution split into 1 x n and n x 1: `[n, h, w, c] -> [n, h, w, one + three + five +
 * pool]`. After Szegedy et al. 2015, figure 6, https://arxiv.org/abs/1512.00567
 */
export function factorizedInception(filters: InceptionFilters, options: InceptionOptions = {}): UnnamedBlock {
  const { unit = convRelu } = checked("factorizedInception", filters, 6, options);
  const [one, reduce3, three, reduce5, five, pool] = filters;
  return ofKind(
    "factorized_inception",
    concat({
      b1: unit(one, 1, same),
      b2: chain({ reduce: unit(reduce3, 1, same), row: unit(three, [1, 3], same), column: unit(three, [3, 1], same) }),
      b3: chain({ reduce: unit(reduce5, 1, same), row: unit(five, [1, 5], same), column: unit(five, [5, 1], same) }),
      b4: chain({ pool: maxPool(3, 1, same), project: unit(pool, 1, same) }),
    }),
  );
}

function checked(where: string, filters: unknown, count: number, options: InceptionOptions): InceptionOptions {
  checkOptions(where, options, { unit: true });
  checkFunctions(where, { unit: options.unit });
  if (!Array.isArray(filters) || filters.length !== count)
    throw new OptionError(`${where}: expected ${count} numbers of filters in a list, got ${shown(filters)}.`);
  for (const [i, each] of filters.entries()) checkWhole(where, `number ${i} of the filters`, each, 1);
  return options;
}
