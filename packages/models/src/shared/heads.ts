import { chain, classActivation, dense, dropout, globalAvgPool } from "@convkit/core";
import type { Block, HeadOptions, Init } from "@convkit/core";

/** Names of the layers, and dropout, of Keras' usual head. */
interface AverageHead {
  readonly pool?: string;
  readonly rate?: number;
  readonly drop?: string;
  readonly init?: Init;
}

/** Keras' usual head: mean of each channel, dense layer `predictions`. `[n, h, w, c] -> [n, classes]`. */
export function averageHead(
  options: HeadOptions,
  { pool = "avg_pool", rate = 0, drop = "dropout", init }: AverageHead = {},
): Block {
  return chain({
    [pool]: globalAvgPool(),
    ...dropped(drop, options.dropout ?? rate),
    predictions: dense(options.classes, { activation: classActivation(options), init }),
  });
}

/** torchvision's usual head: mean of each channel, dropout, dense layer. `[n, h, w, c] -> [n, classes]`. */
export function torchHead(
  options: HeadOptions,
  { name = "fc", rate = 0 }: { readonly name?: string; readonly rate?: number } = {},
): Block {
  return chain({
    avgpool: globalAvgPool(),
    ...dropped("dropout", options.dropout ?? rate),
    [name]: dense(options.classes, { activation: classActivation(options) }),
  });
}

/** A named dropout layer; none at rate 0. */
export function dropped(name: string, rate = 0): Record<string, Block> {
  return rate > 0 ? { [name]: dropout(rate) } : {};
}
