import process from "node:process";
import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import { train } from "../../src/index.ts";
import { halves, smallNet } from "../squares.ts";

/** Trains four epochs of four steps on WebGPU and prints what came of it; destroys the GPU's device at step `lostAt`, unless it is 0. */
const [out, lostAt, resume] = JSON.parse(process.argv[2]!) as [out: string, lostAt: number, resume: boolean];
await useEngine("webgpu", { onNotice: () => {} });
const { device } = tf.backend() as unknown as { device: { destroy(): void; readonly lost: Promise<unknown> } };
const model = smallNet({ dropout: 0.2 });
const tensors: number[] = [];
try {
  const { history } = await train({
    model,
    data: halves(16),
    epochs: 4,
    batch: 4,
    optimizer: "adam",
    progress: false,
    out,
    resume,
    callbacks: [
      {
        onTrainBatchEnd: async (_batch, _logs, { step }) => {
          tensors.push(tf.memory().numTensors);
          if (step !== lostAt) return;
          device.destroy();
          await device.lost;
        },
      },
    ],
  });
  const weights = await Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));
  process.stdout.write(JSON.stringify({ losses: history.map(({ loss }) => loss), weights, tensors }));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: `${(error as Error).name}: ${(error as Error).message}` }));
}
process.exit(0);
