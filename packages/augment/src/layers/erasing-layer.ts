import { OptionError, shown } from "@convkit/errors";
import { erasing } from "../random-erasing.ts";
import { AugmentationLayer } from "./augmentation-layer.ts";
import { checkLayerArgs, kerasRange, valueRangeOf } from "./keras-arguments.ts";
import type { KerasFactor, RandomLayerArgs } from "./keras-arguments.ts";

export interface RandomErasingArgs extends RandomLayerArgs {
  /** The range of each image's probability of being erased; one number f means `[0, f]`. 1 by default. */
  readonly factor?: KerasFactor | undefined;
  /** The smallest and the largest share of the image for the rectangle; 0.02 and 0.33 by default. */
  readonly scale?: KerasFactor | undefined;
  /** The value inside the rectangle, or one per channel; noise by default. */
  readonly fillValue?: number | readonly number[] | null | undefined;
  /** The smallest and the largest value of a pixel; 0 and 255 by default. */
  readonly valueRange?: readonly number[] | null | undefined;
}

/** Keras' RandomErasing. */
export class RandomErasing extends AugmentationLayer {
  static readonly className = "RandomErasing";

  constructor(args: RandomErasingArgs = {}) {
    checkLayerArgs("RandomErasing", args, { factor: true, scale: true, fillValue: true, valueRange: true });
    const { factor: given = 1, scale: shares = [0.02, 0.33], fillValue = null, valueRange, ...base } = args;
    const factor = kerasRange("RandomErasing factor", given, "from zero", [0, 1]);
    const scale = kerasRange("RandomErasing scale", shares, "from zero", [0, 1]);
    const range = valueRangeOf("RandomErasing", valueRange);
    const values = Array.isArray(fillValue) ? (fillValue as readonly unknown[]) : [fillValue ?? 0];
    if (!values.every((value) => typeof value === "number" && Number.isFinite(value))) {
      throw new OptionError(
        `RandomErasing: expected a number, or one a channel, as fillValue, got ${shown(fillValue)}.`,
      );
    }
    super(
      base,
      { factor, scale, fillValue, valueRange: range },
      erasing({ probabilities: factor, scale, fillValue: fillValue ?? undefined, range }),
    );
  }
}
