import { OptionError, shown } from "@convkit/errors";
import { randAugment } from "../rand-augment.ts";
import { AugmentationLayer } from "./augmentation-layer.ts";
import type { LayerConfig } from "./augmentation-layer.ts";
import { checkLayerArgs } from "./keras-arguments.ts";
import type { RandomLayerArgs } from "./keras-arguments.ts";

export interface RandAugmentArgs extends RandomLayerArgs {
  /** Number of changes to each image; 2 by default. */
  readonly numOps?: number | undefined;
  /** A tenth of the paper's magnitude, 0 to 1; 0.5 by default. */
  readonly factor?: number | undefined;
}

/** The paper's RandAugment (`randAugment`) under the name of Keras' layer, whose changes and strengths differ. */
export class RandAugment extends AugmentationLayer {
  static readonly className = "RandAugment";

  constructor(args: RandAugmentArgs = {}) {
    checkLayerArgs("RandAugment", args, { numOps: true, factor: true });
    const { numOps = 2, factor = 0.5, ...base } = args;
    if (typeof factor !== "number") {
      throw new OptionError(`RandAugment: expected a number from 0 to 1 as factor, got ${shown(factor)}.`);
    }
    super(base, { numOps, factor }, randAugment({ count: numOps, magnitude: 10 * factor }));
  }

  override get kerasConfig(): LayerConfig {
    const { factor, ...rest } = super.kerasConfig;
    return { ...rest, factor: [factor as number, factor as number], value_range: [0, 255] };
  }
}
