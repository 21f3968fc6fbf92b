import * as tfl from "@tensorflow/tfjs-layers";
import { stockClass } from "../../tfjs/layer-class.ts";
import type { StockLayer } from "../../tfjs/layer-class.ts";

type Args = Parameters<typeof tfl.layers.separableConv2d>[0];

const Stock = stockClass<Args, { readonly depthMultiplier: number }>(
  tfl.layers.separableConv2d({ name: "stock", filters: 1, kernelSize: 1 }),
);

/** tfjs-layers' SeparableConv2D omits the depth multiplier from its saved configuration; this layer saves it. */
export class SeparableConv2D extends Stock {
  static override className = "SeparableConv2D";

  override getConfig(): ReturnType<StockLayer["getConfig"]> {
    return { ...super.getConfig(), depthMultiplier: this.depthMultiplier };
  }
}
