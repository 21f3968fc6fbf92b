import { checkOptions } from "@convkit/errors";
import { conv, glorotUniform, globalAvgPool, identity, multiply, named, reshape, sizeOf, ofKind } from "@convkit/core";
import type { ActivationName, Init, UnnamedBlock } from "@convkit/core";
import { checkFunctions, checkWhole } from "@convkit/core/internal";
import { dotted, steps } from "./naming.ts";
import type { Naming } from "./naming.ts";

export type SqueezePart = "squeeze" | "reshape" | "reduce" | "expand" | "excite";

export interface SqueezeExciteOptions {
  /** Activation after the first convolution: "relu" by default. */
  readonly activation?: ActivationName | undefined;
  /** Makes the weights of the channels from the second convolution: "sigmoid" by default. */
  readonly gate?: ActivationName | undefined;
  /** Initial weights of the convolutions; `glorotUniform` by default. */
  readonly init?: Init | undefined;
  /** Names the parts; `<path>.<part>` by default. */
  readonly naming?: Naming<SqueezePart> | undefined;
}

/**
 * Multiplies each channel by a weight computed from the whole map: shape unchanged; `reduced` channels in between. Hu
 * et al. 2017, https://arxiv.org/abs/1709.01507
 */
export function squeezeExcite(reduced: number, options: SqueezeExciteOptions = {}): UnnamedBlock {
  checkOptions("squeezeExcite", options, { activation: true, gate: true, init: true, naming: true });
  const { activation = "relu", gate = "sigmoid", init = glorotUniform, naming = dotted } = options;
  checkWhole("squeezeExcite", "reduced", reduced, 1);
  checkFunctions("squeezeExcite", { naming });
  return ofKind("squeeze_excite", (x, name) => {
    const channels = sizeOf(x)[2] as number;
    const weights = steps(naming, [
      ["squeeze", globalAvgPool()],
      ["reshape", reshape([1, 1, channels])],
      ["reduce", conv(reduced, 1, { padding: "same", activation, init })],
      ["expand", conv(channels, 1, { padding: "same", activation: gate, init })],
    ]);
    return named(naming(name, "excite"), multiply({ map: identity, weights: () => weights(x, name) }))(x, name);
  });
}
