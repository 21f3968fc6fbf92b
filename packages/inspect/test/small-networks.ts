import {
  activation,
  add,
  avgPool,
  batchNorm,
  chain,
  concat,
  conv,
  dense,
  flatten,
  globalAvgPool,
  identity,
  maxPool,
  network,
} from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

export const size = [16, 20, 3] as const;

/** Numbers from -scale to scale, as in tools/golden/inspect-attributions.py. */
function values(seed: number, shape: readonly number[], scale: number): tf.Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from(
      { length: count },
      (_, i) => ((Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453) % 1) * scale,
    ),
    [...shape],
  );
}

/** Gives a layer its kernel and bias by seed. */
function fill(model: tfl.LayersModel, seeds: Readonly<Record<string, number>>): tfl.LayersModel {
  for (const [name, seed] of Object.entries(seeds)) {
    const layer = model.getLayer(name);
    const shape = layer.weights[0]!.shape as number[];
    const inputs = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    layer.setWeights([values(seed, shape, Math.sqrt(3 / inputs)), values(seed + 0.5, [shape.at(-1)!], 0.1)]);
  }
  return model;
}

const same = { padding: "same", activation: "relu" } as const;
type Head = "softmax" | "linear";

/** Two branches, a shortcut, batch norm, global average pooling; the same network as `Branches` in the script. */
export function branches(head: Head = "softmax"): tfl.LayersModel {
  const block = chain({
    stem: conv(6, 3, same),
    pool: maxPool(2, 2, { padding: "valid" }),
    join: concat({ left: conv(4, 1, same), right: conv(4, 3, same) }),
    norm: batchNorm({ epsilon: 1e-5 }),
    sum: add({ after: conv(8, 3, { padding: "same" }), shortcut: identity }),
    relu: activation("relu"),
    mean: globalAvgPool(),
    head: dense(4, { activation: head }),
  });
  const model = fill(network(size, block), { stem: 1, "join.left": 2, "join.right": 3, "sum.after": 5, head: 6 });
  const plusOne = (seed: number): tf.Tensor => tf.add(1, values(seed, [8], 0.2));
  model.getLayer("norm").setWeights([plusOne(4), values(4.25, [8], 0.2), values(4.5, [8], 0.1), plusOne(4.75)]);
  return model;
}

/** A chain with a stride, flattened, two dense layers; the same network as `Flat` in the script. */
export function flat(head: Head = "softmax"): tfl.LayersModel {
  const block = chain({
    first: conv(5, 3, { padding: "valid", activation: "relu" }),
    pool: avgPool(2, 2, { padding: "valid" }),
    second: conv(6, 3, { padding: "valid", stride: 2, activation: "relu" }),
    flat: flatten(),
    hidden: dense(7, { activation: "relu" }),
    head: dense(5, { activation: head }),
  });
  return fill(network(size, block), { first: 11, second: 12, hidden: 13, head: 14 });
}

export function image(): tf.Tensor3D {
  return values(0.7, size, 1) as tf.Tensor3D;
}
