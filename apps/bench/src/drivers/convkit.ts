import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { macs, rawPixels, unitPixels, withoutDrawing } from "@convkit/core";
import { loadData } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { adam, rmsprop, sgd } from "@convkit/graph";
import { predictor } from "@convkit/predict";
import { binaryCrossentropy, modelOutputs, sparseCategoricalCrossentropy, train } from "@convkit/trainer";
import { loadModel, saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { chromeTrace } from "../profile/chrome-trace.ts";
import { images, labels } from "../formula.ts";
import { summarize } from "../profile/summary.ts";
import { convkitNetwork } from "./convkit-networks.ts";
import { setFormulaWeights } from "./formula-weights.ts";
import { measure, measureStream, timed } from "./measure.ts";
import { compiled, eager, type Feed, type Runnable } from "./runnable.ts";
import type {
  AccuracyRequest,
  DataRequest,
  DriverOptions,
  RequestedNetwork,
  Served,
  TrainRequest,
  WorkRequest,
} from "./protocol.ts";
import { BenchError } from "../usage-error.ts";

const batches = 8;

/** Steps per call of the variant `steps`; Keras' `steps_per_execution` is the same here. */
const stepsPerCall = 20;

/** Matrix products in a run of `matmul`. */
const products = 8;

/** Starts convkit: compiles the step or prediction to one graph, or runs it op by op on WebAssembly. */
export async function start(options: DriverOptions): Promise<{ served: Served; versions: Record<string, string> }> {
  const { system, device, threads } = options;
  const name = system === "convkit-wasm" ? "wasm" : device === "cuda" ? "gpu" : "native";
  const engine = await useEngine(name, { threads });
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return {
    served: new Convkit(options),
    versions: {
      convkit: version,
      tfjs: tf.version_core,
      node: process.versions.node,
      ...(engine.tensorflow !== undefined && { tensorflow: engine.tensorflow }),
    },
  };
}

/** Times the prepared work; each sample is in milliseconds. */
type Timer = (seconds: number, count: number) => Promise<number[]>;

class Convkit implements Served {
  readonly #options: DriverOptions;
  #timer: Timer = async () => [];
  #predicted: { name: string; model: tfl.LayersModel; counts: ReturnType<typeof setFormulaWeights> } | undefined;
  #profiled: () => Promise<Awaited<ReturnType<NonNullable<Runnable["profile"]>>> | undefined> = async () => undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  async train({ network, batch, optimizer }: TrainRequest) {
    const model = withoutDrawing(() => convkitNetwork(network.name));
    const counts = setFormulaWeights(model, network.gain);
    const shape = [batch, ...network.input];
    const data: Feed[][] = Array.from({ length: batches }, (_, index) => [
      { data: images(index, shape, network.scale), shape },
      { data: labels(index, batch, network.classes), shape: [batch] },
    ]);
    const runnable = this.#runnable(trainingStep(model, network, optimizer));
    const step = async (index: number): Promise<number> => (await runnable.run(data[index % batches]!))[0]!;
    const [first, firstStep] = await timed(() => step(0));
    const [second, last] = await timed(() => step(0));
    this.#timer = (seconds, count) => measure(step, seconds, count, last);
    const { steps } = runnable;
    if (this.#options.variant === "steps" && steps !== undefined) {
      const calls = Array.from({ length: stepsPerCall }, (_, index) => data[index % batches]!);
      this.#timer = async (seconds, count) =>
        (await measure(() => steps(calls), seconds, count)).map((time) => time / stepsPerCall);
    }
    this.#profiled = async () => runnable.profile?.(data[0]!);
    return { ...counts, losses: [first, second], firstStep };
  }

  async predict({ network, batch }: WorkRequest) {
    const { model, counts } = this.#modelOf(network);
    const shape = [batch, ...network.input];
    const feeds = [{ data: images(0, shape, network.scale), shape }];
    const { variant, precision, threads } = this.#options;
    if (variant === "openvino" || variant === "onnxruntime") {
      if (precision === "float16") throw new BenchError(`${variant} predicts in float32 or bfloat16 here.`);
      const forward = predictor(model, { runtime: variant, precision, threads, preprocessing: rawPixels });
      const start = performance.now();
      const { data } = await forward.predict(feeds[0]!);
      const firstStep = performance.now() - start;
      this.#timer = (seconds, count) => measure(() => forward.predict(feeds[0]!), seconds, count);
      return { ...counts, outputs: [...data.subarray(0, 64)], firstStep };
    }
    const runnable = this.#runnable((x) => model.apply(x!, { training: false }) as tf.Tensor, { freeze: true });
    const run = (): Promise<Float32Array> => runnable.run(feeds);
    const start = performance.now();
    const outputs = await run();
    const firstStep = performance.now() - start;
    this.#timer = (seconds, count) => measure(run, seconds, count);
    this.#profiled = async () => runnable.profile?.(feeds);
    return { ...counts, outputs: [...outputs.subarray(0, 64)], firstStep };
  }

  async load({ network, count }: WorkRequest & { readonly count: number }) {
    const model = withoutDrawing(() => convkitNetwork(network.name));
    const counts = setFormulaWeights(model, network.gain);
    const folder = mkdtempSync(join(tmpdir(), "convkit-bench-"));
    const shape: [number, number, number, number] = [1, ...network.input];
    const pixels = images(0, shape, network.scale);
    const times: number[] = [];
    let outputs = new Float32Array();
    try {
      await saveModel(model, folder, { format: "tfjs", metadata: { preprocessing: rawPixels } });
      for (let index = 0; index < count; index++) {
        const start = performance.now();
        const loaded = await loadModel(folder);
        const output = tf.tidy(() => loaded.predict(tf.tensor4d(pixels, shape)) as tf.Tensor);
        outputs = (await output.data()) as Float32Array<ArrayBuffer>;
        times.push(performance.now() - start);
        output.dispose();
        loaded.dispose();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return { ...counts, outputs: [...outputs.subarray(0, 64)], times };
  }

  /** Builds the network with fresh weights, and waits until the last weight is drawn. */
  async build({ network }: { readonly network: RequestedNetwork }) {
    const start = performance.now();
    const model = convkitNetwork(network.name);
    const last = model.weights.at(-1)!.read().dataSync()[0];
    const times = [performance.now() - start];
    if (last === undefined) throw new BenchError(`${network.name} has an empty weight.`);
    return { params: model.countParams(), times };
  }

  async data({ source, folder, batch }: DataRequest) {
    const { train: set } = await loadData(
      folder,
      source === "jpeg" ? { size: [180, 180], workers: this.#options.threads } : {},
    );
    let epoch = 0;
    const batches = () => set.batches({ batch, shuffle: true, seed: 1, epoch: epoch++ });
    let sum = 0;
    let count = 0;
    for await (const each of batches()) {
      for (const value of each.images) sum += value;
      count += each.images.length;
      each.release?.();
    }
    this.#timer = (seconds, samples) => measureStream(batches, seconds, samples);
    return { outputs: [sum / count] };
  }

  async accuracy({ network, batch, folder, target, epochs }: AccuracyRequest) {
    const { name, train: set, test } = await loadData(folder);
    const model = withoutDrawing(() => convkitNetwork(network.name));
    const counts = setFormulaWeights(model, network.gain);
    const { final } = await train({
      model,
      data: { name, train: set, validation: test! },
      optimizer: "adam",
      preprocessing: unitPixels,
      epochs,
      batch,
      restoreBest: false,
      execution: { threads: this.#options.threads },
      callbacks: [
        {
          onEpochEnd(_, { valAccuracy = 0 }, training) {
            if (valAccuracy >= target) training.stop("the target is reached");
          },
        },
      ],
    });
    if (final === undefined || (final.valAccuracy ?? 0) < target)
      throw new BenchError(`it reached ${final?.valAccuracy} in ${epochs} epochs, the target is ${target}`);
    return counts;
  }

  async measure({ seconds, count }: { readonly seconds: number; readonly count: number }) {
    return { times: await this.#timer(seconds, count) };
  }

  /** Counts the multiply-adds of one image. */
  async macs({ network }: { readonly network: RequestedNetwork }) {
    return { macs: macs(convkitNetwork(network.name)) };
  }

  /** Measures GFLOP/s of matrix products: the best sample of the best of three sizes. */
  async matmul({ seconds, count }: { readonly seconds: number; readonly count: number }) {
    const rates: number[] = [];
    for (const size of [1024, 2048, 4096]) {
      const shape = [size, size];
      const data = [0, 1].map((index) => ({ data: images(index, shape, 1), shape }));
      // Several products a run, so that feeding the operands does not count.
      const multiply = this.#runnable((a, b) => {
        let product = a!;
        for (let times = 0; times < products; times++) product = tf.matMul(product, b!);
        return tf.mean(product);
      });
      const times = await measure(() => multiply.run(data), seconds, count);
      rates.push((2 * size ** 3 * products) / Math.min(...times) / 1e6);
    }
    return { gflops: Math.max(...rates) };
  }

  /** Traces one run of the prepared work, after a first run; writes the Chrome trace if a file is named. */
  async profile({ file }: { readonly file?: string }) {
    const traced = await this.#profiled();
    if (traced === undefined) throw new BenchError("Only a compiled step or prediction can be profiled.");
    if (file !== undefined) writeFileSync(file, JSON.stringify(chromeTrace(traced.traceEvents)));
    const profile = summarize(traced.traceEvents);
    return { ops: traced.ops, ...(profile && { profile }) };
  }

  /** One model for all batches. */
  #modelOf(network: RequestedNetwork) {
    if (this.#predicted?.name === network.name) return this.#predicted;
    const model = withoutDrawing(() => convkitNetwork(network.name));
    this.#predicted = { name: network.name, model, counts: setFormulaWeights(model, network.gain) };
    return this.#predicted;
  }

  #runnable(fn: (...inputs: tf.Tensor[]) => tf.Tensor, options: { freeze?: boolean } = {}): Runnable {
    const { precision, threads, variant } = this.#options;
    return variant === "eager" ? eager(fn) : compiled(fn, { precision, threads, ...options });
  }
}

/** The training step as `convkit train` makes it, with plain pixels; returns the loss. */
function trainingStep(
  model: tfl.LayersModel,
  { classes, rate }: RequestedNetwork,
  name: TrainRequest["optimizer"],
): (...inputs: tf.Tensor[]) => tf.Tensor {
  const optimizer = makeOptimizer(name, rate);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  return (x, y) => {
    const loss = (): tf.Scalar => {
      const logits = modelOutputs(model, x!, { training: true })[0]!.values;
      const each =
        classes > 1
          ? sparseCategoricalCrossentropy(y as tf.Tensor1D, logits, { fromLogits: true })
          : binaryCrossentropy(tf.reshape(tf.cast(y!, "float32"), [-1, 1]), logits, { fromLogits: true });
      return tf.mean(each);
    };
    return optimizer.minimize(loss, true, variables)!;
  };
}

function makeOptimizer(name: TrainRequest["optimizer"], rate = 0.01): tf.Optimizer {
  return { sgd, adam, rmsprop }[name]({ learningRate: name === "sgd" ? rate : 1e-4 });
}
