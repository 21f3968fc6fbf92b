import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RandomBrightness, RandomFlip, RandomRotation, registerAugmentationLayers } from "@convkit/augment";
import { chain, conv, dense, dropBlock, flatten, network as buildNetwork, registerLayers } from "@convkit/core";
import { hashText } from "@convkit/core/internal";
import { type EngineName, useEngine } from "@convkit/engine";
import { loadSavedModel } from "@convkit/graph";
import { engines } from "@convkit/testing";
import { saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { type Callback, train, type TrainOptions } from "../src/index.ts";
import { halves } from "./squares.ts";

const kernelInitializer = tfl.initializers.glorotUniform({ seed: 1 });

/** A network that begins with Keras' random layers, which have the given seeds. */
function network(seeds: Partial<Record<"flip" | "turn" | "light", number>> = {}): tfl.LayersModel {
  return tfl.sequential({
    layers: [
      new RandomFlip({ inputShape: [8, 8, 1], name: "flip", seed: seeds.flip } as never) as tfl.layers.Layer,
      new RandomRotation({ factor: 0.2, name: "turn", seed: seeds.turn }) as tfl.layers.Layer,
      new RandomBrightness({ factor: 0.3, name: "light", seed: seeds.light }) as tfl.layers.Layer,
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 2, activation: "softmax", kernelInitializer, name: "dense" }),
    ],
  });
}

/** A network with tfjs' own random layers. */
function stockNetwork(): tfl.LayersModel {
  const { layers } = tfl;
  return tfl.sequential({
    layers: [
      layers.flatten({ inputShape: [8, 8, 1] }),
      layers.gaussianNoise({ stddev: 10 }),
      layers.gaussianDropout({ rate: 0.3 }),
      layers.alphaDropout({ rate: 0.2 }),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 2, activation: "softmax", kernelInitializer }),
    ],
  });
}

/** A network with DropBlock. */
function blockNetwork(): tfl.LayersModel {
  const body = chain({
    conv: conv(3, 3, { padding: "same", activation: "relu" }),
    drop: dropBlock(0.3, { size: 3 }),
    flat: flatten(),
    dense: dense(2, { activation: "softmax" }),
  });
  return buildNetwork([8, 8, 1], body, { seed: 1 });
}

type More = Pick<TrainOptions, "augment">;
const networks: readonly (readonly [string, () => Promise<tfl.LayersModel>, More])[] = [
  ["Keras' layers", async () => network({ turn: 3 }), {}],
  ["tfjs' layers", async () => stockNetwork(), {}],
  // Loading replaces Dropout by core's, which has no seed here.
  ["DropBlock, on images that a policy changes", async () => blockNetwork(), { augment: { trivialAugment: {} } }],
  ["tfjs' layers in a file", async () => tfl.models.modelFromJSON(stockNetwork().toJSON(null, false) as never), {}],
];

function options(model: tfl.LayersModel, eager: boolean, more: Partial<TrainOptions> = {}): TrainOptions {
  return {
    model,
    data: { name: "halves", train: halves(40) },
    epochs: 2,
    batch: 8,
    seed: 5,
    optimizer: { name: "sgd", learningRate: 0.1 },
    preprocessing: { scale: 1 / 255 },
    execution: { eager, deterministic: true },
    restoreBest: false,
    ...more,
  };
}

const weightsOf = (model: tfl.LayersModel) => model.getWeights().map((weight) => [...weight.dataSync()]);

type Path = readonly [engine: EngineName, eager: boolean];

const paths: readonly Path[] = (engines as readonly EngineName[])
  .filter((name) => name !== "gpu")
  .flatMap((engine): Path[] => (engine === "wasm" ? [[engine, true]] : [false, true].map((eager) => [engine, eager])));

describe.each(paths)("random layers on %s, eager: %s", (engine, eager) => {
  beforeAll(async () => {
    await useEngine(engine);
    // tfjs counts tensors kernel by kernel in tests, and miscounts those of tfjs-node.
    tf.env().set("IS_TEST", false);
    registerLayers();
    registerAugmentationLayers();
  });

  const trained = async (model: tfl.LayersModel, more: Partial<TrainOptions> = {}) => {
    await train(options(model, eager, more));
    return weightsOf(model);
  };

  test("without a seed of their own, they draw by the seed of the run and their place", async () => {
    for (const seed of [5, 6]) {
      const [flip, turn, light] = [0, 1, 2].map((place) => hashText(`random/${place}`, seed) >>> 1) as [
        number,
        number,
        number,
      ];
      const seeds = { flip, turn, light };
      expect(await trained(network(), { seed })).toEqual(await trained(network(seeds), { seed }));
    }
  });

  test.each(networks)(
    "a run that is repeated or resumed within an epoch draws the same: %s",
    async (_title, make, more) => {
      const model = await make();
      const before = model.getWeights().map((weight) => weight.clone());
      const whole = await trained(model, more);
      model.setWeights(before);
      expect(await trained(model, more)).toEqual(whole);

      const out = await mkdtemp(join(tmpdir(), "convkit-random-"));
      const stop = new AbortController();
      const stopper: Callback = { onTrainBatchEnd: (_batch, _logs, { step }) => void (step === 7 && stop.abort()) };
      const first = await make();
      first.setWeights(before);
      await train(options(first, eager, { ...more, out, signal: stop.signal, callbacks: [stopper] }));
      expect(await readdir(join(out, "checkpoints"))).toEqual(["step-00000007"]);
      expect(await trained(await make(), { ...more, out, resume: true })).toEqual(whole);
    },
  );

  test.skipIf(eager)("a SavedModel with them computes at inference what the layers after them compute", async () => {
    const model = network();
    await train(options(model, eager));
    const folder = join(await mkdtemp(join(tmpdir(), "convkit-random-")), "saved");
    await saveModel(model, folder, { format: "savedmodel" });
    const images = tf.randomUniform([3, 8, 8, 1], 0, 1, "float32", 3);
    const [kernel, bias] = model.getLayer("dense").getWeights() as [tf.Tensor2D, tf.Tensor1D];
    const wanted = tf.softmax(tf.add(tf.matMul(tf.reshape(images, [3, 64]), kernel), bias)).dataSync();
    const byModel = (model.predict(images) as tf.Tensor).dataSync();
    const saved = await loadSavedModel(folder);
    const [bySaved] = Object.values(await saved(images));
    for (const [i, value] of wanted.entries()) {
      expect(byModel[i]).toBeCloseTo(value, 5);
      expect(bySaved!.data[i]).toBeCloseTo(value, 5);
    }
  });
});
