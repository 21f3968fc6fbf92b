import { batchNorm, chain, conv, dense, flatten, maxPool, network } from "@convkit/core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** A network of a few layers with fixed weights, three logits. */
export function smallNetwork(): tfl.LayersModel {
  const body = chain({
    conv: conv(4, 3, { padding: "same", activation: "relu" }),
    norm: batchNorm(),
    pool: maxPool(2, 2, { padding: "valid" }),
    flat: flatten(),
    head: dense(3),
  });
  return network([8, 8, 3], body, { seed: 3 });
}
