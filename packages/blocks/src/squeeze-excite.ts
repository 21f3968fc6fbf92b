import { conv, glorotUniform, globalAvgPool, identity, multiply, named, reshape, sizeOf } from "@convkit/core";
import type { ActivationName, Block, Init } from "@convkit/core";
import { dotted, steps } from "./naming.ts";
import type { Naming } from "./naming.ts";

export type SqueezePart = "squeeze" | "reshape" | "reduce" | "expand" | "excite";

/**
 * Weighs each channel by what the whole map shows: shape unchanged; `reduced` channels in between.
 * Hu et al. 2017, https://arxiv.org/abs/1709.01507
 */
export function squeezeExcite(
  reduced: number,
  {
    activation = "relu",
    init = glorotUniform,
    naming = dotted,
  }: { activation?: ActivationName; init?: Init; naming?: Naming<SqueezePart> } = {},
): Block {
  return (x, name) => {
    const channels = sizeOf(x)[2] as number;
    const weights = steps(naming, [
      ["squeeze", globalAvgPool()],
      ["reshape", reshape([1, 1, channels])],
      ["reduce", conv(reduced, 1, { padding: "same", activation, init })],
      ["expand", conv(channels, 1, { padding: "same", activation: "sigmoid", init })],
    ]);
    return named(naming(name, "excite"), multiply({ map: identity, weights: () => weights(x, name) }))(x, name);
  };
}
