import { fromArrays, type IndexedDataset } from "@convkit/datasets";
import { compile } from "@convkit/graph";
import { predictor, type PredictorOptions } from "@convkit/predict";
import { train } from "@convkit/trainer";
import { loadModel, saveModel } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { smallModel } from "../hostile/weight-subjects.ts";
import type { Repeated } from "./measure.ts";

const side = 8;
const pixels = side * side * 3;

function images(count: number): IndexedDataset {
  return fromArrays({
    images: Uint8Array.from({ length: count * pixels }, (_, i) => (i * 37) % 251),
    shape: [side, side, 3],
    labels: Int32Array.from({ length: count }, (_, i) => i % 2),
    classes: ["a", "b"],
    name: "images",
  });
}

const batch = { data: new Float32Array(2 * pixels).fill(0.5), shape: [2, side, side, 3] };

/** The training step that a user writes with tfjs alone. */
function stepOf(model: tfl.LayersModel, optimizer: tf.Optimizer) {
  return (x: tf.Tensor, y: tf.Tensor) =>
    optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as tf.Tensor), true)!;
}

/** Runs the step again and again: compiled where the engine compiles, else op by op. */
function repeatedStep(step: ReturnType<typeof stepOf>): { once(): Promise<void>; end(): Promise<void> } {
  if (tf.getBackend() === "tensorflow") {
    const graph = compile(step);
    return { once: async () => void (await graph(batch as never, labels as never)), end: () => graph.dispose() };
  }
  const [x, y] = [batch, labels].map(({ data, shape }) => tf.tensor(data, shape)) as [tf.Tensor, tf.Tensor];
  return {
    once: async () => void tf.tidy(() => step(x, y).dataSync()),
    end: async () => tf.dispose([x, y]),
  };
}

/** The names of the small network. */
const names = 2_048;
const labels = { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] };

export const repeated: readonly Repeated[] = [
  {
    name: "steps",
    times: { long: 5_000, short: 200 },
    async begin() {
      const model = smallModel();
      const optimizer = tf.train.adam(0.001);
      const step = repeatedStep(stepOf(model, optimizer));
      return {
        once: step.once,
        async end() {
          await step.end();
          optimizer.dispose();
          model.dispose();
        },
      };
    },
  },
  {
    name: "predictions",
    times: { long: 5_000, short: 200 },
    async begin() {
      const model = smallModel();
      const made = predictor(model);
      return {
        once: async () => void (await made.predict(batch)),
        async end() {
          await made.dispose();
          model.dispose();
        },
      };
    },
  },
  {
    name: "models",
    times: { long: 500, short: 100 },
    names,
    begin: async () => ({
      once: async () => {
        const model = smallModel();
        const made = predictor(model, { execution: { eager: true } });
        await made.predict(batch);
        await made.dispose();
        model.dispose();
      },
      end: async () => {},
    }),
  },
  {
    name: "compiles on the same variables",
    isCompiled: true,
    times: { long: 96, short: 32 },
    // The session is replaced after every 16 functions that were disposed.
    period: 16,
    async begin() {
      const model = smallModel();
      const lasting = compile((x: tf.Tensor) => model.predict(x) as tf.Tensor);
      await lasting(batch as never);
      return {
        once: async () => {
          const optimizer = tf.train.adam(0.001);
          const step = compile(stepOf(model, optimizer));
          await step(batch as never, labels as never);
          await step.dispose();
          optimizer.dispose();
        },
        async end() {
          await lasting.dispose();
          model.dispose();
        },
      };
    },
  },
  {
    name: "trainings",
    times: { long: 100, short: 16 },
    names,
    async begin() {
      const data = { name: "images", train: images(8), validation: images(4) };
      return {
        once: async () => {
          const model = smallModel();
          await train({ model, data, epochs: 1, batch: 4, ema: 0.9, optimizer: "adam", progress: false });
          model.dispose();
        },
        end: async () => {},
      };
    },
  },
  predictorLoads("predictor loads"),
  ...(["openvino", "onnxruntime"] as const).flatMap((runtime) => [
    {
      name: `predictions on ${runtime}`,
      times: { long: 5_000, short: 200 },
      async begin() {
        const model = smallModel();
        const made = predictor(model, { runtime, threads: 1 });
        return {
          once: async () => void (await made.predict(batch)),
          async end() {
            await made.dispose();
            model.dispose();
          },
        };
      },
    },
    predictorLoads(`predictor loads on ${runtime}`, { runtime, threads: 1 }),
  ]),
];

/** Loads a model and predicts once. */
function predictorLoads(name: string, options?: PredictorOptions): Repeated {
  return {
    name,
    times: { long: 50, short: 10 },
    names,
    async begin() {
      const folder = mkdtempSync(join(tmpdir(), "convkit-leaks-"));
      const made = smallModel();
      await saveModel(made, folder, { format: "tfjs" });
      made.dispose();
      return {
        once: async () => {
          const model = await loadModel(folder);
          const loaded = predictor(model, options);
          await loaded.predict(batch);
          await loaded.dispose();
          model.dispose();
        },
        end: async () => rmSync(folder, { recursive: true }),
      };
    },
  };
}
