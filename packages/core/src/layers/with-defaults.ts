import { checkOptions, OptionError } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import type { Padding, Pair } from "../arithmetic/padding.ts";
import type { UnnamedBlock } from "../block/names.ts";
import { initializer } from "../init/initializers.ts";
import type { Init } from "../init/initializers.ts";
import type { ActivationName } from "./activation.ts";
import { conv, depthwiseConv, separableConv } from "./convolution/convolution.ts";
import type { ConvOptions, DepthwiseOptions } from "./convolution/convolution.ts";
import { avgPool, maxPool } from "./pooling/pooling.ts";
import type { AvgPoolOptions, PoolOptions } from "./pooling/pooling.ts";

export interface WindowDefaults {
  /** Padding of convolutions and pools. */
  readonly padding: Padding;
  /** Activation of convolutions; none by default. */
  readonly activation?: ActivationName | undefined;
  /** Whether convolutions have a bias; true by default. */
  readonly bias?: boolean | undefined;
  /** Initial weights of convolutions; `glorotUniform` by default. */
  readonly init?: Init | undefined;
}

type Without<T> = Omit<T, "padding"> & { readonly padding?: Padding | undefined };

/** The layers with a window; their options may leave out what has a default, and a pool's stride is its size. */
export interface WindowLayers {
  readonly conv: (filters: number, kernel: number | Pair, options?: Without<ConvOptions>) => UnnamedBlock;
  readonly depthwiseConv: (kernel: number | Pair, options?: Without<DepthwiseOptions>) => UnnamedBlock;
  readonly separableConv: (filters: number, kernel: number | Pair, options?: Without<DepthwiseOptions>) => UnnamedBlock;
  readonly maxPool: (size: number | Pair, stride?: number | Pair, options?: Without<PoolOptions>) => UnnamedBlock;
  readonly avgPool: (size: number | Pair, stride?: number | Pair, options?: Without<AvgPoolOptions>) => UnnamedBlock;
}

const names: OptionNames<WindowDefaults> = { padding: true, activation: true, bias: true, init: true };

/**
 * Convolutions and pools with a padding (and activation, bias, init) that is said once:
 * `const { conv, maxPool } = withDefaults({ padding: "same", activation: "relu" })`, then `conv(64, 3)` and `maxPool(2)`. What
 * a layer is given by hand comes first. Throws an `OptionError` for unknown options.
 */
export function withDefaults(defaults: WindowDefaults): WindowLayers {
  if (defaults === undefined) {
    throw new OptionError('withDefaults: expected defaults such as { padding: "same", activation: "relu" }, got none.');
  }
  checkOptions("withDefaults", defaults, names);
  // A wrong default is told here, not where it is first used.
  void conv(1, 1, defaults);
  if (defaults.init !== undefined) void initializer(defaults.init, "withDefaults");
  const { padding } = defaults;
  return {
    conv: (filters, kernel, options) => conv(filters, kernel, over(defaults, options)),
    depthwiseConv: (kernel, options) => depthwiseConv(kernel, over(defaults, options)),
    separableConv: (filters, kernel, options) => separableConv(filters, kernel, over(defaults, options)),
    maxPool: (size, stride = size, options) => maxPool(size, stride, over({ padding }, options)),
    avgPool: (size, stride = size, options) => avgPool(size, stride, over({ padding }, options)),
  };
}

/** Options over defaults; an option that is undefined leaves the default. */
function over<Defaults extends WindowOnly, Options>(defaults: Defaults, options: Options | undefined) {
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(given) as Omit<Options, keyof WindowOnly>) };
}

type WindowOnly = Pick<WindowDefaults, "padding">;
