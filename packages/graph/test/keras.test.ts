import { readFileSync } from "node:fs";
import type * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, compile, sgd } from "../src/index.ts";
import { batchOf, crossEntropy, setHashedWeights } from "./networks.ts";

const golden = JSON.parse(readFileSync(new URL("golden/keras-losses.json", import.meta.url), "utf8")) as {
  networks: Record<string, { parameters: number; losses: number[] }>;
};

type Symbolic = tfl.SymbolicTensor;
const zeros = { kernelInitializer: "zeros" } as const;
const conv = (name: string, filters: number, kernelSize: number, more: object = {}) =>
  tfl.layers.conv2d({ name, filters, kernelSize, padding: "same", activation: "relu", ...zeros, ...more });
const dense = (name: string, units: number, more: object = {}) => tfl.layers.dense({ name, units, ...zeros, ...more });
const pool = (poolSize: number, strides = poolSize, padding: "same" | "valid" = "same") =>
  tfl.layers.maxPooling2d({ poolSize, strides, padding });
const flatten = () => tfl.layers.flatten();
const through = (x: Symbolic, ...layers: { apply(x: Symbolic): unknown }[]) =>
  layers.reduce((y, layer) => layer.apply(y) as Symbolic, x);

/** The notebooks' networks at full size, by the names that the golden's script gives their layers. */
const networks = {
  lenet5: {
    shape: [28, 28, 1],
    classes: 10,
    optimizer: () => sgd({ learningRate: 0.01 }),
    body: (x: Symbolic) =>
      through(
        x,
        conv("c1", 6, 5),
        pool(2, 2, "valid"),
        conv("c2", 16, 5, { padding: "valid" }),
        pool(2, 2, "valid"),
        flatten(),
        dense("d1", 120, { activation: "relu" }),
        dense("d2", 84, { activation: "relu" }),
        dense("d3", 10),
      ),
  },
  "inception-cifar10": {
    shape: [32, 32, 3],
    classes: 10,
    optimizer: () => adam({ learningRate: 1e-3 }),
    body: (x: Symbolic) => {
      const branches = [
        through(x, conv("b1", 16, 1, { strides: 2 })),
        through(x, conv("b2a", 16, 1), conv("b2b", 16, 3, { strides: 2 })),
        through(x, conv("b3a", 16, 1), conv("b3b", 16, 5, { strides: 2 })),
        through(x, pool(3, 2), conv("b4", 16, 1)),
      ];
      const joined = tfl.layers.concatenate().apply(branches) as Symbolic;
      return through(joined, flatten(), dense("d1", 512, { activation: "relu" }), dense("d2", 10));
    },
  },
  "residual-stack": {
    shape: [32, 32, 3],
    classes: 2,
    optimizer: () => sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true }),
    body: (x: Symbolic) => {
      for (const [block, filters, strides] of [
        [0, 32, 2],
        [1, 64, 2],
        [2, 128, 1],
      ] as const) {
        const y = through(
          x,
          conv(`r${block}a`, filters, 3),
          conv(`r${block}b`, filters, 3),
          ...(strides === 2 ? [pool(2)] : []),
        );
        const short = through(x, conv(`r${block}s`, filters, 1, { strides, activation: "linear" }));
        x = tfl.layers.add().apply([y, short]) as Symbolic;
      }
      return through(x, tfl.layers.globalAveragePooling2d({}), dense("d1", 2));
    },
  },
};

describe.runIf(engines.includes("native"))("20 steps have Keras' losses", () => {
  beforeAll(async () => {
    await useEngine("native");
  });

  test.each(Object.keys(networks) as (keyof typeof networks)[])("%s", async (name) => {
    const { shape, classes, optimizer: makeOptimizer, body } = networks[name];
    const input = tfl.input({ shape });
    const net = tfl.model({ inputs: input, outputs: body(input) });
    const { parameters, losses } = golden.networks[name] as (typeof golden.networks)[string];
    expect(net.countParams()).toBe(parameters);
    setHashedWeights(
      net,
      net.layers.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    const optimizer = makeOptimizer();
    const step = compile(
      (x: tf.Tensor, y: tf.Tensor) => optimizer.minimize(() => crossEntropy(net, x, y, classes), true) as tf.Scalar,
    );
    for (const [i, expected] of losses.entries()) {
      const { images, labels } = batchOf(8, shape, classes, i % 4);
      const loss = (await step(images, labels)).item();
      expect(Math.abs(loss / expected - 1), `step ${i}: ${loss} against ${expected}`).toBeLessThan(1e-4);
    }
    await step.dispose();
  });
});
