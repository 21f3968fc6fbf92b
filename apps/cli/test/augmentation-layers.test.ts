import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  RandomBrightness,
  RandomContrast,
  RandomCrop,
  RandomFlip,
  RandomRotation,
  RandomTranslation,
  RandomZoom,
  registerAugmentationLayers,
} from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { executable } from "@convkit/graph";
import { engines, peerPython, runPeer } from "@convkit/testing";
import { loadModel, saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-augmentation-layers-"));
const network = join(folder, "network");
let images: string;

beforeAll(async () => {
  await useEngine(engines[0]);
  registerAugmentationLayers();
  images = await colorFolder(join(folder, "colours"), ["blue", "red"], 8);
  const layers = [
    new RandomFlip({ inputShape: [16, 16, 3], mode: "horizontal", name: "flip" }),
    new RandomRotation({ factor: 0.1, name: "rotation" }),
    new RandomZoom({ heightFactor: 0.2, name: "zoom" }),
    new RandomContrast({ factor: 0.2, valueRange: [0, 1], name: "contrast" }),
    new RandomTranslation({ heightFactor: 0.1, widthFactor: 0.1, fillMode: "nearest", name: "translation" }),
    new RandomBrightness({ factor: 0.2, valueRange: [0, 1], name: "brightness" }),
    new RandomCrop({ height: 12, width: 12, name: "crop" }),
    tfl.layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", kernelInitializer: glorot(1), name: "conv" }),
    tfl.layers.globalAveragePooling2d({ name: "pool" }),
    tfl.layers.dense({ units: 2, activation: "softmax", kernelInitializer: glorot(2), name: "classes" }),
  ];
  const metadata = { name: "augmented", classes: ["blue", "red"], preprocessing: { scale: 1 / 255 } };
  await saveModel(tfl.sequential({ layers }), network, { format: "tfjs", metadata });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const glorot = (seed: number) => tfl.initializers.glorotUniform({ seed });

async function said(...args: string[]): Promise<string> {
  const { status, out, err } = await call(...args);
  expect(status, err).toBe(0);
  return out;
}

/** The values of the trained weights of a run. */
async function weightsOf(run: string): Promise<number[][]> {
  const model = await loadModel(join(run, "model"));
  return model.getWeights().map((weight) => [...weight.dataSync()]);
}

function checkpointOf(run: string): string {
  const [name] = readdirSync(join(run, "checkpoints"));
  return readFileSync(join(run, "checkpoints", name!, "arrays.bin")).toString("base64");
}

describe.each(engines.filter((name) => name !== "gpu"))("a model with augmentation layers on %s", (engine) => {
  const onEngine = ["--engine", engine] as const;
  const train = (run: string, epochs: number) => {
    const settings = ["--validation", "0.25", "--batch", "4", "--epochs", String(epochs), "--seed", "3"];
    return said("train", network, "--data", images, ...settings, "--deterministic", ...onEngine, "--out", run);
  };
  const run = join(folder, `run-${engine}`);
  const whole = join(folder, `whole-${engine}`);

  beforeAll(async () => {
    await useEngine(engine);
    await train(run, 1);
  });

  test("its draws differ from step to step, and each is near half of the steps a mirrored image", async () => {
    const layer = new RandomFlip({ mode: "horizontal", seed: 5 });
    layer.build([null, 1, 2, 1]);
    const step = executable((x) => [layer.apply(x!, { training: true }) as tf.Tensor]);
    const image = { data: Float32Array.of(0, 1), shape: [1, 1, 2, 1] };
    let mirrored = 0;
    for (let i = 0; i < 100; i++) {
      const [out] = await step.run([image]);
      mirrored += out!.data[0]!;
    }
    await step.dispose();
    // Five deviations of a fair coin's 100 throws.
    expect(Math.abs(mirrored - 50)).toBeLessThan(25);
  });

  test("evaluates and predicts without draws, and is explained", async () => {
    const evaluate = () => said("evaluate", run, "--data", images, ...onEngine, "--json");
    const first = JSON.parse(await evaluate()) as { loss: number };
    expect((JSON.parse(await evaluate()) as typeof first).loss).toBe(first.loss);
    const explained = JSON.parse(await said("explain", "params", run, ...onEngine, "--json")) as object;
    // 3 * 3 * 3 * 4 + 4 of the convolution, 4 * 2 + 2 of the classes.
    expect(JSON.stringify(explained)).toContain("122");
  });

  test("a training that goes on from its checkpoint ends with the bits of one that never stopped", async () => {
    await train(whole, 2);
    const before = checkpointOf(run);
    await said("train", "--resume", run, "--epochs", "2", ...onEngine);
    expect(checkpointOf(run)).not.toBe(before);
    expect(checkpointOf(run)).toBe(checkpointOf(whole));
    expect(await weightsOf(run)).toEqual(await weightsOf(whole));
  });

  test.skipIf(peerPython === undefined)("Keras and ONNX Runtime compute what predict computes", async () => {
    const [keras, onnx, json] = ["m.keras", "m.onnx", "m.json"].map((name) => join(folder, `${engine}-${name}`));
    await said("convert", run, keras!, "--verify", ...onEngine);
    await said("convert", run, onnx!, "--verify", ...onEngine);
    const model = await loadModel(join(run, "model"));
    const pixels = Float32Array.from({ length: 2 * 16 * 16 * 3 }, (_, i) => ((i * 37) % 256) / 255);
    const expected = [...(model.predict(tf.tensor(pixels, [2, 16, 16, 3])) as tf.Tensor).dataSync()];
    writeFileSync(json!, JSON.stringify([...pixels]));
    const told = JSON.parse(runPeer(peer, [keras!, onnx!, json!]).trim().split("\n").at(-1)!) as {
      names: string[];
      ops: string[];
      keras: number[];
      onnx: number[];
    };
    expect(told.names).toEqual(
      expect.arrayContaining(["flip", "rotation", "zoom", "contrast", "translation", "brightness", "crop"]),
    );
    expect(told.ops.join()).not.toMatch(/Random/);
    for (const [i, value] of expected.entries()) {
      expect(told.onnx[i]).toBeCloseTo(value, 5);
      expect(told.keras[i]).toBeCloseTo(value, 5);
    }
  });

  test.skipIf(engine === "wasm")("a SavedModel of it predicts the same", async () => {
    const saved = join(folder, "saved");
    await said("convert", run, `${saved}/`, "--to", "savedmodel", ...onEngine);
    const evaluated = async (model: string) =>
      (JSON.parse(await said("evaluate", model, "--data", images, ...onEngine, "--json")) as { loss: number }).loss;
    expect(await evaluated(saved)).toBeCloseTo(await evaluated(run), 4);
  });
});

/** Keras 3 returns images uncropped where it predicts; Keras 2 and we resize the middle, here all of them. */
const peer = `
import json, os, sys
os.environ["KERAS_BACKEND"] = "torch"
import keras, numpy as np, onnx, onnxruntime
x = np.array(json.load(open(sys.argv[3])), "float32").reshape(2, 16, 16, 3)
model = keras.models.load_model(sys.argv[1])
y = x
for layer in model.layers:
    if isinstance(layer, keras.layers.InputLayer):
        continue
    if layer.name == "crop":
        y = keras.ops.image.resize(y, (12, 12), antialias=False)
    else:
        y = layer(y, training=False) if type(layer).__name__.startswith("Random") else layer(y)
session = onnxruntime.InferenceSession(sys.argv[2])
out = session.run(None, {session.get_inputs()[0].name: x})[0]
print(json.dumps({
    "names": [layer.name for layer in model.layers],
    "ops": [node.op_type for node in onnx.load(sys.argv[2]).graph.node],
    "keras": np.ravel(keras.ops.convert_to_numpy(y)).tolist(),
    "onnx": np.ravel(out).tolist(),
}))
`;
