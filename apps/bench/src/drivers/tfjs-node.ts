import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Dataset, loadData } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { images, labels } from "../formula.ts";
import { setFormulaWeights } from "./formula-weights.ts";
import { measure, timed } from "./measure.ts";
import type {
  AccuracyRequest,
  DriverOptions,
  RequestedNetwork,
  Served,
  TrainRequest,
  WorkRequest,
} from "./protocol.ts";
import { stockNetwork } from "./tfjs-networks.ts";
import { BenchError } from "../usage-error.ts";

const batches = 8;

/**
 * Starts TensorFlow.js as its users run it: stock layers, `trainOnBatch`, `predict`. Each op is a separate call, on
 * TensorFlow or, as `tfjs-cpu`, in plain JavaScript.
 */
export async function start({
  system,
  threads,
}: DriverOptions): Promise<{ served: Served; versions: Record<string, string> }> {
  const versions = { [system]: tf.version_core, node: process.versions.node };
  if (system === "tfjs-cpu") {
    await import("@tensorflow/tfjs-backend-cpu");
    await tf.setBackend("cpu");
    return { served: new TfjsNode(), versions };
  }
  const engine = await useEngine("native", { threads });
  return { served: new TfjsNode(), versions: { ...versions, tensorflow: engine.tensorflow ?? "" } };
}

class TfjsNode implements Served {
  #timer: (seconds: number, count: number) => Promise<number[]> = async () => [];
  #predicted: { name: string; model: tfl.LayersModel; counts: ReturnType<typeof setFormulaWeights> } | undefined;

  async train({ network, batch, optimizer }: TrainRequest) {
    const model = stockNetwork(network.name, network.input, network.classes);
    const counts = setFormulaWeights(model, network.gain);
    const shape: [number, number, number, number] = [batch, ...network.input];
    const data = Array.from({ length: batches }, (_, index) => ({
      x: tf.tensor4d(images(index, shape, network.scale), shape),
      y: tf.tensor2d(Float32Array.from(labels(index, batch, network.classes)), [batch, 1]),
    }));
    model.compile({
      optimizer: makeOptimizer(optimizer, network.rate),
      loss: network.classes > 1 ? "sparseCategoricalCrossentropy" : "binaryCrossentropy",
    });
    const step = async (index: number): Promise<number> => {
      const { x, y } = data[index % batches]!;
      return (await model.trainOnBatch(x, y)) as number;
    };
    const [first, firstStep] = await timed(() => step(0));
    const [second, last] = await timed(() => step(0));
    this.#timer = (seconds, count) => measure(step, seconds, count, last);
    return { ...counts, losses: [first, second], firstStep };
  }

  async predict({ network, batch }: WorkRequest) {
    const { model, counts } = this.#modelOf(network);
    const shape: [number, number, number, number] = [batch, ...network.input];
    const pixels = images(0, shape, network.scale);
    const run = () => predictOnce(model, pixels, shape);
    const start = performance.now();
    const outputs = await run();
    const firstStep = performance.now() - start;
    this.#timer = (seconds, count) => measure(run, seconds, count);
    return { ...counts, outputs: [...outputs.subarray(0, 64)], firstStep };
  }

  async load({ network, count }: WorkRequest & { readonly count: number }) {
    const { io, loadLayersModel } = await import("@tensorflow/tfjs-node");
    const model = stockNetwork(network.name, network.input, network.classes);
    const counts = setFormulaWeights(model, network.gain);
    const folder = mkdtempSync(join(tmpdir(), "convkit-bench-"));
    const shape: [number, number, number, number] = [1, ...network.input];
    const pixels = images(0, shape, network.scale);
    const times: number[] = [];
    let outputs = new Float32Array();
    try {
      await model.save(io.fileSystem(folder));
      for (let index = 0; index < count; index++) {
        const start = performance.now();
        const loaded = await loadLayersModel(io.fileSystem(join(folder, "model.json")));
        outputs = await predictOnce(loaded as unknown as tfl.LayersModel, pixels, shape);
        times.push(performance.now() - start);
        loaded.dispose();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return { ...counts, outputs: [...outputs.subarray(0, 64)], times };
  }

  async build({ network }: { readonly network: RequestedNetwork }) {
    const start = performance.now();
    const model = stockNetwork(network.name, network.input, network.classes);
    const times = [performance.now() - start];
    return { params: model.countParams(), times };
  }

  async accuracy({ network, batch, folder, target, epochs }: AccuracyRequest) {
    const splits = await loadData(folder);
    const train = await tensorsOf(splits.train);
    const test = await tensorsOf(splits.test!);
    const model = stockNetwork(network.name, network.input, network.classes);
    const counts = setFormulaWeights(model, network.gain);
    model.compile({ optimizer: tf.train.adam(), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
    let reached = 0;
    await model.fit(train.x, train.y, {
      batchSize: batch,
      epochs,
      verbose: 0,
      callbacks: {
        onEpochEnd: async () => {
          const [, accuracy] = model.evaluate(test.x, test.y, { batchSize: 1000 }) as tf.Scalar[];
          reached = (await accuracy!.data())[0]!;
          model.stopTraining = reached >= target;
        },
      },
    });
    if (reached < target) throw new BenchError(`it reached ${reached} in ${epochs} epochs, the target is ${target}`);
    return counts;
  }

  /** One model for all batches. */
  #modelOf(network: RequestedNetwork) {
    if (this.#predicted?.name === network.name) return this.#predicted;
    const model = stockNetwork(network.name, network.input, network.classes);
    this.#predicted = { name: network.name, model, counts: setFormulaWeights(model, network.gain) };
    return this.#predicted;
  }

  async measure({ seconds, count }: { readonly seconds: number; readonly count: number }) {
    return { times: await this.#timer(seconds, count) };
  }
}

/** A whole data set as two tensors: pixels in [0, 1], and class numbers. */
async function tensorsOf(set: Dataset): Promise<{ x: tf.Tensor; y: tf.Tensor }> {
  for await (const { images, labels, shape } of set.batches({ batch: set.size })) {
    const x = tf.tidy(() => tf.div(tf.tensor4d(Float32Array.from(images), shape), 255));
    return { x, y: tf.tensor2d(Float32Array.from(labels), [labels.length, 1]) };
  }
  throw new BenchError(`${set.name} is empty.`);
}

async function predictOnce(
  model: tfl.LayersModel,
  pixels: Float32Array,
  shape: [number, number, number, number],
): Promise<Float32Array<ArrayBuffer>> {
  const output = tf.tidy(() => model.predict(tf.tensor4d(pixels, shape)) as tf.Tensor);
  const values = (await output.data()) as Float32Array<ArrayBuffer>;
  output.dispose();
  return values;
}

function makeOptimizer(name: TrainRequest["optimizer"], rate = 0.01): tf.Optimizer {
  if (name === "sgd") return tf.train.sgd(rate);
  return name === "adam" ? tf.train.adam(1e-4) : tf.train.rmsprop(1e-4, 0.9, 0, 1e-7);
}
