import { stockClass } from "@convkit/core";
import type { StockClass } from "@convkit/core";
import * as tfl from "@tensorflow/tfjs-layers";
import { oneShape } from "./base-layers.ts";
import type { Shape } from "./base-layers.ts";

type Args = Parameters<typeof tfl.layers.concatenate>[0];
const Stock: StockClass<Args, { axis: number }> = stockClass(tfl.layers.concatenate({ name: "stock" }));

/** Concatenate with negative axes. (tfjs-layers' own treats every negative axis as the last.) */
export class Concatenate extends Stock {
  static override className = "Concatenate";

  override build(shape: Shape): void {
    const rank = (shape as tfl.Shape[])[0]?.length ?? 0;
    if (this.axis < -1) this.axis += rank;
    super.build(shape);
  }
}

type ReshapeArgs = Parameters<typeof tfl.layers.reshape>[0];
const StockReshape: StockClass<ReshapeArgs, { targetShape: (number | null)[] }> = stockClass(
  tfl.layers.reshape({ name: "stock", targetShape: [1] }),
);

/** Reshape that infers a size of -1. (tfjs-layers' own leaves it unknown, since the batch size is unknown.) */
export class Reshape extends StockReshape {
  static override className = "Reshape";

  override computeOutputShape(shape: Shape): Shape {
    const [batch, ...sizes] = oneShape(shape);
    const isFree = (size: number | null): boolean => size === null || size < 0;
    if (sizes.includes(null)) return super.computeOutputShape(shape);
    const whole = (sizes as number[]).reduce((product, size) => product * size, 1);
    const known = this.targetShape.reduce<number>((product, size) => (isFree(size) ? product : product * size!), 1);
    if (!Number.isInteger(whole / known)) return super.computeOutputShape(shape);
    return [batch ?? null, ...this.targetShape.map((size) => (isFree(size) ? whole / known : size))];
  }
}
