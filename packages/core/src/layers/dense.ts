import { checkOptions } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import { layer } from "../block/block.ts";
import { glorotUniform, initializer, zeros } from "../init/initializers.ts";
import type { Init } from "../init/initializers.ts";
import type { ShapedBlock, Units } from "../typed/shape-change.ts";
import { tfjsName } from "./activation.ts";
import type { ActivationName } from "./activation.ts";
import { checkActivation, checkFlags } from "./check-values.ts";
import { checkCount } from "./check-window.ts";

export interface DenseOptions {
  /** Activation after the layer; none by default. */
  readonly activation?: ActivationName | undefined;
  /** Adds a learned number to each unit; true by default. */
  readonly bias?: boolean | undefined;
  /** Initial weights; `glorotUniform` by default, as in Keras; PyTorch's is uniform within 1 / sqrt(inputs). */
  readonly init?: Init | undefined;
  /** Initial bias; `zeros` by default, as in Keras; PyTorch draws the bias, too. */
  readonly biasInit?: Init | undefined;
}

const names: OptionNames<DenseOptions> = { activation: true, bias: true, init: true, biasInit: true };

/** Connects every input to every unit: `[n, c] -> [n, units]`. */
export function dense<const N extends number>(units: N, options: DenseOptions = {}): ShapedBlock<Units<N>> {
  checkCount("dense", "units", units);
  checkOptions("dense", options, names);
  const { activation = "linear", bias = true, init = glorotUniform, biasInit = zeros } = options;
  checkFlags("dense", { bias });
  checkActivation("dense", activation);
  return layer(
    (name) =>
      tfjs.dense({
        name,
        units,
        activation: tfjsName(activation),
        useBias: bias,
        kernelInitializer: initializer(init, `${name}/kernel`),
        biasInitializer: initializer(biasInit, `${name}/bias`),
      }),
    "dense",
  );
}
