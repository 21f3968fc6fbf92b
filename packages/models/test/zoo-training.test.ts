import { registerLayers, summarize } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import type { Engine } from "@convkit/engine";
import { compile } from "@convkit/graph";
import { createModel } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { networks } from "./networks.ts";

const CLASSES = 7;
const BATCH = 3;

/** Auxiliary classifiers want larger maps than the networks themselves. */
const sides: Readonly<Record<string, number>> = { googlenet: 96, "inception-v3-tv": 299 };

let engine: Engine;

beforeAll(async () => {
  engine = await useEngine("auto");
  // tfjs-node's fusedMatMul keeps its bias for the gradient, which tfjs' own test mode takes for a leak.
  tf.env().set("IS_TEST", false);
});

describe.each(networks)("$name", (architecture) => {
  const name = architecture.name as ModelName;
  const { smallest, aux } = architecture;

  describe("for another size of image, other channels and classes", () => {
    // Large enough that the last map has some pixels: batch norm over one value a channel has no gradient.
    const side = sides[name] ?? Math.max(64, smallest + (smallest > 60 ? 32 : 0));
    const input = [side, side + 6, 2] as const;
    let model: tfl.LayersModel;
    let x: tf.Tensor;

    beforeAll(() => {
      model = createModel(name, { input, classes: CLASSES, logits: true, aux: aux !== undefined });
      x = tf.randomUniform([BATCH, ...input], -1, 1, "float32", 1);
    });

    afterAll(() => {
      model.dispose();
      x.dispose();
    });

    it("gives a finite, non-zero gradient to every trainable weight", () => {
      const { grads, value } = tf.variableGrads(
        () => {
          const outputs = [model.apply(x, { training: true }) as tf.Tensor | tf.Tensor[]].flat();
          return tf.addN(
            outputs.map((y) => tf.mean(tf.mul(y, tf.randomNormal(y.shape, 0, 1, "float32", 2)))),
          ) as tf.Scalar;
        },
        model.trainableWeights.map((weight) => weight.read() as tf.Variable),
      );
      const names = model.trainableWeights.map((weight) => (weight.read() as tf.Variable).name);
      const sizes = tf.tidy(() =>
        tf.stack(names.map((weight) => tf.sum(tf.abs(grads[weight] as tf.Tensor)))).dataSync(),
      );
      const vain = biasesBeforeNorms(model);
      const wrong = model.trainableWeights.flatMap(({ originalName }, i) => {
        const size = sizes[i] as number;
        const isGood = Number.isFinite(size) && (size > 0 || vain.has(originalName));
        return isGood ? [] : [`${originalName}: ${size}`];
      });
      tf.dispose([grads, value]);
      expect(wrong).toEqual([]);
    });

    it("predicts the same when compiled", async (test) => {
      test.skip(engine.backend !== "tensorflow", "only TensorFlow's engines compile");
      const predict = compile((images: tf.Tensor) => [model.apply(images) as tf.Tensor | tf.Tensor[]].flat());
      const eager = [model.predict(x) as tf.Tensor | tf.Tensor[]].flat();
      const compiled = (await predict(x)).map((y) => y.tensor());
      eager.forEach((y, i) => expect(farthest(y, compiled[i] as tf.Tensor)).toBeLessThan(1e-5 * (1 + largest(y))));
      await predict.dispose();
      tf.dispose([eager, compiled]);
    });

    it("is the same after saving and loading", async () => {
      registerLayers();
      let saved: tf.io.ModelArtifacts | undefined;
      await model.save(
        tf.io.withSaveHandler((artifacts) => {
          saved = artifacts;
          return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } });
        }),
      );
      const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved as tf.io.ModelArtifacts));
      const outputs = (which: tfl.LayersModel): tf.Tensor[] => [which.predict(x) as tf.Tensor | tf.Tensor[]].flat();
      const [before, after] = [outputs(model), outputs(loaded)];
      expect(after.map(({ shape }) => shape)).toEqual(before.map(() => [BATCH, CLASSES]));
      before.forEach((y, i) => expect(farthest(y, after[i] as tf.Tensor)).toBeLessThan(1e-5 * (1 + largest(y))));
      loaded.dispose();
      tf.dispose([before, after]);
    });
  });
});

/** Biases whose layer feeds a batch norm, which takes them away again: their gradient is zero. */
function biasesBeforeNorms(model: tfl.LayersModel): Set<string> {
  const rows = summarize(model).layers;
  const norms = rows.filter(({ type }) => type === "BatchNormalization");
  return new Set(norms.flatMap(({ connectedTo }) => connectedTo.map((layer) => `${layer}/bias`)));
}

function farthest(a: tf.Tensor, b: tf.Tensor): number {
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0] as number);
}

function largest(a: tf.Tensor): number {
  return tf.tidy(() => tf.max(tf.abs(a)).dataSync()[0] as number);
}
