import { chain, classActivation, dense, dropout, globalAvgPool } from "@convkit/core";
import type { Block, HeadOptions, Init } from "@convkit/core";

/** Keras' usual end: mean of each channel, dense layer `predictions`. `[n, h, w, c] -> [n, classes]`. */
export function averageHead(
  options: HeadOptions,
  {
    pool = "avg_pool",
    rate = 0,
    drop = "dropout",
    init,
  }: { pool?: string; rate?: number; drop?: string; init?: Init } = {},
): Block {
  const dropped = options.dropout ?? rate;
  return chain({
    [pool]: globalAvgPool(),
    ...(dropped > 0 ? { [drop]: dropout(dropped) } : {}),
    predictions: dense(options.classes, {
      activation: classActivation(options),
      ...(init === undefined ? {} : { init }),
    }),
  });
}

/** torchvision's usual end: mean of each channel, dropout, dense layer. `[n, h, w, c] -> [n, classes]`. */
export function torchHead(
  options: HeadOptions,
  { name = "fc", rate = 0 }: { name?: string; rate?: number } = {},
): Block {
  const dropped = options.dropout ?? rate;
  return chain({
    avgpool: globalAvgPool(),
    ...(dropped > 0 ? { dropout: dropout(dropped) } : {}),
    [name]: dense(options.classes, { activation: classActivation(options) }),
  });
}
