import { withoutDrawing } from "@convkit/core";
import { availableEngines, useEngine } from "@convkit/engine";
import { createModel } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { networks } from "./networks.ts";
import { seededInput, setSeededWeights } from "./seeded-weights.ts";

/** Small ones of each kind, whose gradients are compared, too. */
const trained = new Set<ModelName>(["resnet20-cifar10", "squeezenet1-1", "inception-cifar10", "simple-cnn"]);

const hasTensorflow = (await availableEngines()).includes("native");

describe.skipIf(!hasTensorflow).each(networks)("$name", ({ name, smallest, input }) => {
  const side = Math.max(32, smallest);
  const size: [number, number, number] = [side, side, input[2]];

  beforeAll(() => {
    // tfjs-node's fusedMatMul keeps its bias for the gradient, which tfjs' own test mode takes for a leak.
    tf.env().set("IS_TEST", false);
  });

  it("computes on WebAssembly what it computes on TensorFlow", async () => {
    await useEngine("native");
    const model = withoutDrawing(() =>
      createModel(name as ModelName, { input: size, classes: 7, logits: true, dropout: 0 }),
    );
    setSeededWeights(model, 2);
    const [expected, expectedGradient] = compute(model);
    // The training step moved the statistics of norms.
    if (expectedGradient) setSeededWeights(model, 2);
    await useEngine("wasm");
    const [got, gradient] = compute(model);
    expect(distance(got!, expected!)).toBeLessThan(1e-4 * norm(expected!));
    if (expectedGradient) expect(distance(gradient!, expectedGradient)).toBeLessThan(1e-4 * norm(expectedGradient));
    model.dispose();
  });
});

/** The logits and, of the networks that train in seconds, the gradients of all weights in one row. */
function compute(model: tfl.LayersModel): Float32Array[] {
  return tf.tidy(() => {
    const x = seededInput(model.inputs[0]!.shape.slice(1) as [number, number, number], 1);
    const y = model.predict(x) as tf.Tensor;
    if (!trained.has(model.name as ModelName)) return [y.dataSync()];
    const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const loss = (): tf.Scalar => tf.mean(tf.square(model.apply(x, { training: true }) as tf.Tensor)) as tf.Scalar;
    const { grads } = tf.variableGrads(loss, weights);
    const row = tf.concat(weights.map((weight) => tf.reshape(grads[weight.name]!, [-1])));
    return [y.dataSync(), row.dataSync()];
  }) as unknown as Float32Array[];
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));
}
