import { compile, type CompileOptions } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";

/** A way to compute a prediction, and its time. */
export interface MeasuredWay {
  readonly name: string;
  readonly seconds: number;
  /** The time layer by layer divided by this one. */
  readonly gain: number;
}

const ways: readonly { readonly name: string; readonly options?: CompileOptions }[] = [
  { name: "layer by layer" },
  { name: "compiled, fused", options: {} },
  { name: "compiled, fused, weights frozen", options: { freeze: true } },
  { name: "the same in bfloat16", options: { freeze: true, precision: "bfloat16" } },
];

/** Times a prediction for a batch of each input as it is, compiled, with frozen weights, and in 16 bits; without TensorFlow only as it is. */
export async function measuredWays(
  model: LayersModel,
  batches: readonly tf.Tensor[],
  runs: number,
): Promise<MeasuredWay[]> {
  const predict = (...x: tf.Tensor[]): tf.Tensor[] => [model.predict(x.length === 1 ? x[0]! : x)].flat();
  const found: { name: string; seconds: number }[] = [];
  for (const { name, options } of tf.getBackend() === "tensorflow" ? ways : ways.slice(0, 1)) {
    if (options === undefined) {
      found.push({
        name,
        seconds: await median(runs, async () => {
          const results = tf.tidy(() => predict(...batches));
          await Promise.all(results.map(async (result) => result.data()));
          tf.dispose(results);
        }),
      });
      continue;
    }
    const compiled = compile(predict, options);
    try {
      found.push({ name, seconds: await median(runs, async () => compiled(...batches)) });
    } finally {
      await compiled.dispose();
    }
  }
  const [first] = found;
  return found.map((way) => ({ ...way, gain: first!.seconds / way.seconds }));
}

/** Median seconds of several runs after the first two, which compile. */
async function median(runs: number, compute: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs + 2; run++) {
    const start = performance.now();
    await compute();
    if (run >= 2) times.push((performance.now() - start) / 1000);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
}
