import { existsSync, readFileSync } from "node:fs";
import type * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { describe, expect, test } from "vitest";
import { compile, sgd } from "../src/index.ts";
import { rewrites } from "../src/passes/index.ts";
import { batchOf, crossEntropy, setHashedWeights } from "./networks.ts";

const source = new URL("../src/", import.meta.url);

test.each(rewrites.map(({ name }) => name))("the rewrite %s stands in a file of its name", (name) => {
  const found = ["passes", "peephole", "trace"].filter((room) => existsSync(new URL(`${room}/${name}.ts`, source)));
  expect(found).toHaveLength(1);
});

test("the page on architecture lists the rewrites in their order", () => {
  const page = readFileSync(new URL("../../../docs/architecture.md", import.meta.url), "utf8");
  const table = page.split("### ").find((section) => section.startsWith("Rules and passes"));
  const listed = [...(table ?? "").matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name);
  expect(listed).toEqual(rewrites.map(({ name }) => name));
});

describe.runIf(engines.includes("native"))("a compiled function says which rewrites changed how many ops", () => {
  /** Two convolutions, one over few positions, and a dense layer. */
  function network(): tfl.LayersModel {
    const { conv2d, dense, flatten } = tfl.layers;
    const zeros = { kernelInitializer: "zeros" } as const;
    const net = tfl.sequential({
      layers: [
        conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape: [6, 6, 3], ...zeros }),
        conv2d({ filters: 8, kernelSize: 1, activation: "relu", ...zeros }),
        flatten(),
        dense({ units: 5, ...zeros }),
      ],
    });
    setHashedWeights(net);
    return net;
  }

  async function changesOf(options: Parameters<typeof compile>[1]) {
    await useEngine("native");
    const net = network();
    const optimizer = sgd();
    const step = compile((x: tf.Tensor, y: tf.Tensor) => {
      optimizer.minimize(() => crossEntropy(net, x, y, 5));
    }, options);
    const { images, labels } = batchOf(2, [6, 6, 3], 5);
    await step(images, labels);
    const changes = Object.fromEntries(step.describe()[0]!.rewrites.map(({ name, changes }) => [name, changes]));
    await step.dispose();
    return changes;
  }

  test("a training step", async () => {
    expect(await changesOf({})).toMatchObject({
      // Both layers' ReLU: 2. Gradients of the three biases: 3.
      "relu-gradient": { Mul: 2 },
      "bias-add": { Add: 3 },
      "bias-gradient": { Sum: 3 },
      "fused-updates": { ResourceApplyGradientDescent: 6 },
      // The 1x1 layer: forward, by its input and by its filter.
      "convolution-as-matmul": { Conv2D: 1, Conv2DBackpropInput: 1, Conv2DBackpropFilter: 1 },
      "write-barrier": {},
    });
  });

  test("a deterministic one keeps tfjs' ops", async () => {
    const changes = await changesOf({ deterministic: true });
    const applied = Object.keys(changes).filter((name) => Object.keys(changes[name]!).length > 0);
    expect(applied.filter((name) => name !== "uniform-constant-as-fill" && name !== "write-barrier")).toEqual([]);
    expect(changes).not.toHaveProperty("convolution-as-matmul");
  });
});
