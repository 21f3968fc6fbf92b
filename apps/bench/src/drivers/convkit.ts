import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { preprocess, rawPixels } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { adam, rmsprop, sgd } from "@convkit/graph";
import {
  applyLogits,
  binaryCrossentropy,
  type Executable,
  executable,
  type Feed,
  loadModel,
  saveModel,
  sparseCategoricalCrossentropy,
} from "@convkit/trainer";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { DriverOptions } from "../driver.ts";
import { images, labels } from "../formula.ts";
import { convkitNetwork } from "./convkit-networks.ts";
import { setFormulaWeights } from "./formula-weights.ts";
import { measure } from "./measure.ts";
import type { RequestedNetwork, Served, TrainRequest, WorkRequest } from "./serve.ts";

const batches = 8;

/** Matrix products in a run of `matmul`. */
const products = 8;

/** convkit: the step or the prediction compiled to one graph, or op by op on WebAssembly. */
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

class Convkit implements Served {
  readonly #options: DriverOptions;
  #step: (index: number) => Promise<unknown> = async () => {};

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  async train({ network, batch, optimizer }: TrainRequest) {
    const model = convkitNetwork(network.name);
    const counts = setFormulaWeights(model, network.gain);
    const shape = [batch, ...network.input];
    const data: Feed[][] = Array.from({ length: batches }, (_, index) => [
      { data: images(index, shape, network.scale), shape },
      { data: labels(index, batch, network.classes), shape: [batch] },
    ]);
    const train = trainingStep(model, network, optimizer, this.#execution());
    const step = async (index: number): Promise<number> => (await train.run(data[index % batches]!))[0]!.data[0]!;
    const start = performance.now();
    const first = await step(0);
    const firstStep = performance.now() - start;
    this.#step = step;
    return { ...counts, losses: [first, await step(0)], firstStep };
  }

  async predict({ network, batch }: WorkRequest) {
    const model = convkitNetwork(network.name);
    const counts = setFormulaWeights(model, network.gain);
    const shape = [batch, ...network.input];
    const feeds = [{ data: images(0, shape, network.scale), shape }];
    const predict = executable((x) => [model.apply(x!, { training: false }) as tf.Tensor], this.#execution());
    const run = async (): Promise<Float32Array> => (await predict.run(feeds))[0]!.data;
    const start = performance.now();
    const outputs = await run();
    const firstStep = performance.now() - start;
    this.#step = run;
    return { ...counts, outputs: [...outputs.subarray(0, 64)], firstStep };
  }

  async load({ network, count }: WorkRequest & { readonly count: number }) {
    const model = convkitNetwork(network.name);
    const counts = setFormulaWeights(model, network.gain);
    const folder = mkdtempSync(join(tmpdir(), "convkit-bench-"));
    const shape: [number, number, number, number] = [1, ...network.input];
    const pixels = images(0, shape, network.scale);
    const times: number[] = [];
    let outputs = new Float32Array();
    try {
      await saveModel(model, folder, { preprocessing: rawPixels, classes: [] } as never);
      for (let index = 0; index < count; index++) {
        const start = performance.now();
        const loaded = (await loadModel(folder)).model;
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

  async measure({ seconds, count }: { readonly seconds: number; readonly count: number }) {
    return { times: await measure(this.#step, seconds, count) };
  }

  /** GFLOP/s of matrix products, the best sample of the best of three sizes. */
  async matmul({ seconds, count }: { readonly seconds: number; readonly count: number }) {
    const rates: number[] = [];
    for (const size of [1024, 2048, 4096]) {
      const shape = [size, size];
      const data = [0, 1].map((index) => ({ data: images(index, shape, 1), shape }));
      // Several products a run, so that feeding the operands does not count.
      const multiply = executable((a, b) => {
        let product = a!;
        for (let times = 0; times < products; times++) product = tf.matMul(product, b!);
        return [tf.mean(product)];
      }, this.#execution());
      const times = await measure(() => multiply.run(data), seconds, count);
      rates.push((2 * size ** 3 * products) / Math.min(...times) / 1e6);
    }
    return { gflops: Math.max(...rates) };
  }

  #execution() {
    const { precision, threads, variant } = this.#options;
    return variant === "eager" ? { eager: true } : { precision, threads };
  }
}

/** The training step as `convkit train` makes it, with plain pixels. */
function trainingStep(
  model: tfl.LayersModel,
  { classes }: RequestedNetwork,
  name: TrainRequest["optimizer"],
  execution: NonNullable<Parameters<typeof executable>[1]>,
): Executable {
  const optimizer = makeOptimizer(name);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  return executable((x, y) => {
    const loss = (): tf.Scalar => {
      const logits = applyLogits(model, preprocess(x as tf.Tensor4D, rawPixels), { training: true })[0]!;
      const each =
        classes > 1
          ? sparseCategoricalCrossentropy(y as tf.Tensor1D, logits, { fromLogits: true })
          : binaryCrossentropy(tf.reshape(tf.cast(y!, "float32"), [-1, 1]), logits, { fromLogits: true });
      return tf.mean(each);
    };
    return [optimizer.minimize(loss, true, variables)!];
  }, execution);
}

function makeOptimizer(name: TrainRequest["optimizer"]): tf.Optimizer {
  return { sgd, adam, rmsprop }[name]();
}
