import {
  type Architecture,
  add,
  build,
  chain,
  conv,
  dense,
  flatten,
  identity,
  maxPool,
  unitPixels,
} from "@convkit/core";
import { createModel, isModelName } from "@convkit/models";
import type * as tfl from "@tensorflow/tfjs-layers";
import { BenchError } from "../usage-error.ts";

const relu = { activation: "relu", padding: "same" } as const;

const cifar = {
  paper: "after He et al. 2015, Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385",
  input: [32, 32, 3],
  smallest: 2,
  classes: 10,
  preprocessing: unitPixels,
  head: ({ classes, logits }) =>
    chain({
      flatten: flatten(),
      fc1: dense(128, { activation: "relu" }),
      predictions: dense(classes, { activation: logits ? "linear" : "softmax" }),
    }),
} as const satisfies Partial<Architecture>;

/** Two networks of a notebook that shows residual connections. The zoo has them as blocks. */
const residuals: Readonly<Record<string, Architecture>> = {
  "residual-same": {
    ...cifar,
    name: "residual-same",
    params: 394_886,
    trainable: 394_886,
    macs: 643_328,
    body: chain({
      residual: add({
        body: chain({ conv1: conv(3, 3, relu), conv2: conv(3, 3, relu), conv3: conv(3, 3, relu) }),
        shortcut: identity,
      }),
    }),
  },
  "residual-different": {
    ...cifar,
    name: "residual-different",
    params: 198_320,
    trainable: 198_320,
    macs: 455_936,
    body: chain({
      conv1: conv(3, 3, relu),
      conv2: conv(6, 3, relu),
      pool: maxPool(2, 2, { padding: "valid" }),
      residual: add({ shortcut: identity, body: conv(6, 1, { padding: "valid" }) }),
    }),
  },
};

/**
 * Builds a measured network with convkit. Dropout is off, so that losses can be compared. Throws for an unknown name.
 */
export function convkitNetwork(name: string): tfl.LayersModel {
  const residual = residuals[name];
  if (residual !== undefined) return build(residual);
  if (!isModelName(name)) throw new BenchError(`There is no convkit network "${name}".`);
  return createModel(name, { dropout: 0 });
}
