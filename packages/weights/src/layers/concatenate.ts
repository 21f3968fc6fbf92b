import { stockClass } from "@convkit/core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { Shape } from "./base-layers.ts";

type Args = Parameters<typeof tfl.layers.concatenate>[0];
const Stock = stockClass<Args, { axis: number }>(tfl.layers.concatenate({ name: "stock" }));

/** Concatenate whose axis may be counted from the end. (tfjs-layers' own takes every negative one for the last.) */
export class Concatenate extends Stock {
  static override className = "Concatenate";

  override build(shape: Shape): void {
    const rank = (shape as tfl.Shape[])[0]?.length ?? 0;
    if (this.axis < -1) this.axis += rank;
    super.build(shape);
  }
}
