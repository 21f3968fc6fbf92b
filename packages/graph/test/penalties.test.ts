import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { accelerate, adam, adamw, rmsprop, sgd } from "../src/index.ts";
import { hashed } from "./networks.ts";

/** Penalizes columns that are not at right angles: `factor * sum(|offdiagonal(normalized columns' products)|)`. */
class Orthogonal extends tf.serialization.Serializable {
  static readonly className = "OrthogonalColumns";

  apply(kernel: tf.Tensor): tf.Scalar {
    return tf.tidy(() => {
      const columns = tf.reshape(kernel, [-1, kernel.shape.at(-1)!]);
      const norms = tf.sqrt(tf.sum(tf.square(columns), 0, true));
      const products = tf.abs(tf.matMul(tf.div(columns, norms), tf.div(columns, norms), true));
      const others = tf.sub(1, tf.eye(kernel.shape.at(-1)!));
      return tf.mul(0.05, tf.sum(tf.mul(products, others))) as tf.Scalar;
    });
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new cls(config);
  }

  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

type Regularizer = ReturnType<typeof tfl.regularizers.l1>;

const penalties: Record<string, Regularizer> = {
  L1: tfl.regularizers.l1({ l1: 0.05 }),
  L2: tfl.regularizers.l2({ l2: 0.05 }),
  L1L2: tfl.regularizers.l1l2({ l1: 0.05, l2: 0.02 }),
  orthogonal: { className: "OrthogonalColumns", config: {} } as never,
};

type Regularized = { kernelRegularizer: Regularizer; name: string };
/** Layers by the shape of their kernel. */
const kernels: Record<string, { input: number[]; layer: (penalty: Regularized) => tfl.layers.Layer }> = {
  "[1, 6]": { input: [1], layer: (penalty) => tfl.layers.dense({ units: 6, ...penalty }) },
  "[6, 1]": { input: [6], layer: (penalty) => tfl.layers.dense({ units: 1, useBias: false, ...penalty }) },
  "[1, 1, 5, 1]": {
    input: [3, 3, 5],
    layer: (penalty) => tfl.layers.conv2d({ filters: 1, kernelSize: 1, ...penalty }),
  },
};

/** Epsilons large enough that rounding of a gradient near 0 does not turn an update round. */
const optimizers: Record<string, () => tf.Optimizer> = {
  "tfjs' SGD": () => tf.train.sgd(0.05),
  "tfjs' momentum": () => tf.train.momentum(0.05, 0.9),
  "tfjs' Adagrad": () => tf.train.adagrad(0.05),
  "tfjs' Adadelta": () => tf.train.adadelta(0.05),
  "tfjs' Adam": () => tf.train.adam(0.05, 0.9, 0.999, 0.01),
  "tfjs' Adamax": () => tf.train.adamax(0.05, 0.9, 0.999, 0.01),
  "tfjs' RMSprop": () => tf.train.rmsprop(0.05, 0.9, 0.5, 0.01),
  "tfjs' centered RMSprop": () => tf.train.rmsprop(0.05, 0.9, 0, 1e-7, true),
  SGD: () => sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
  Adam: () => adam({ learningRate: 0.05, epsilon: 0.01 }),
  AdamW: () => adamw({ learningRate: 0.05, epsilon: 0.01, weightDecay: 0.1 }),
  RMSprop: () => rmsprop({ learningRate: 0.05, epsilon: 0.01 }),
};

const batch = 8;

/** A model with one head for each penalty on each kernel. */
function made(optimizer: tf.Optimizer): { model: tfl.LayersModel; x: tf.Tensor[]; y: tf.Tensor[] } {
  const heads = Object.entries(kernels).flatMap(([kernel, { input, layer }]) =>
    Object.entries(penalties).map(([penalty, kernelRegularizer], at) => {
      const start = tfl.input({ shape: input });
      // Not the input itself: the kernel's gradient would be the only use of the product.
      const x = tfl.layers.activation({ activation: "tanh" }).apply(start);
      const name = `${penalty} on ${kernel}`.replaceAll(/[^\w]+/g, "_");
      const result = layer({ kernelRegularizer, name }).apply(x) as tfl.SymbolicTensor;
      const y = result.rank > 2 ? (tfl.layers.flatten().apply(result) as tfl.SymbolicTensor) : result;
      const values = (shape: number[], from: number) =>
        tf.tensor(
          Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => hashed(i + from + at)),
          shape,
        );
      return { start, y, inputs: values([batch, ...input], 100), targets: values([batch, y.shape[1]!], 1000) };
    }),
  );
  const model = tfl.model({ inputs: heads.map(({ start }) => start), outputs: heads.map(({ y }) => y) });
  model.setWeights(
    model.getWeights().map(({ shape, size }) =>
      tf.tensor(
        [...Array(size).keys()].map((i) => hashed(i + 7)),
        shape,
      ),
    ),
  );
  model.compile({ optimizer, loss: "meanSquaredError" });
  return { model, x: heads.map(({ inputs }) => inputs), y: heads.map(({ targets }) => targets) };
}

/** The losses of each of three steps on one batch, and the weights after them, by name. */
async function trained(optimizer: tf.Optimizer, isAccelerated: boolean): Promise<Map<string, number[]>> {
  const { model, x, y } = made(optimizer);
  const accelerated = isAccelerated ? accelerate(model, { onNotice: (line) => expect.fail(line) }) : undefined;
  const numbers = new Map<string, number[]>();
  for (let step = 0; step < 3; step++) numbers.set(`loss ${step}`, (await model.trainOnBatch(x, y)) as number[]);
  for (const layer of model.layers)
    for (const [i, weight] of layer.getWeights().entries())
      numbers.set(`${layer.name}, weight ${i}`, [...weight.dataSync()]);
  await accelerated?.dispose();
  tf.dispose([x, y]);
  model.dispose();
  optimizer.dispose();
  return numbers;
}

describe.runIf(engines.includes("native"))("penalties on kernels of all shapes train the same compiled", () => {
  beforeAll(async () => {
    await useEngine("native");
    tf.serialization.registerClass(Orthogonal);
    // tfjs counts what a fused kernel keeps for its gradient as a leak.
    tf.env().set("IS_TEST", false);
  });

  test.each(Object.keys(optimizers))("with %s", async (optimizer) => {
    const eager = await trained(optimizers[optimizer]!(), false);
    const compiled = await trained(optimizers[optimizer]!(), true);
    expect([...compiled.keys()]).toEqual([...eager.keys()]);
    for (const [name, values] of eager)
      for (const [i, value] of compiled.get(name)!.entries())
        if (!Object.is(value, values[i])) expect(value, name).toBeCloseTo(values[i]!, 4);
  });
});
