import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { stockClass } from "../../tfjs/layer-class.ts";
import type { StockClass, StockLayer } from "../../tfjs/layer-class.ts";

type Args = Parameters<typeof tfl.layers.separableConv2d>[0];

// The type is written out, since tfjs-layers' own name of it has no public path.
const Stock: StockClass<Args, { readonly depthMultiplier: number }> = stockClass(
  tfjs.separableConv2d({ name: "stock", filters: 1, kernelSize: 1 }),
);

/** tfjs-layers' SeparableConv2D omits the depth multiplier from its saved configuration; this layer saves it. */
export class SeparableConv2D extends Stock {
  static override className = "SeparableConv2D";

  override getConfig(): ReturnType<StockLayer["getConfig"]> {
    return { ...super.getConfig(), depthMultiplier: this.depthMultiplier };
  }
}
