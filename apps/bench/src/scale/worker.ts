import { createInterface } from "node:readline";
import { withoutDrawing } from "@convkit/core";
import { fromArrays } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { distribute } from "@convkit/graph";
import { train } from "@convkit/trainer";
import { convkitNetwork } from "../drivers/convkit-networks.ts";
import type { RequestedNetwork } from "../drivers/protocol.ts";
import { images, labels } from "../formula.ts";

/** What one worker is asked to do; `python/scale_peer.py` reads the same. */
export interface ScaleRequest {
  readonly system: string;
  readonly network: Pick<RequestedNetwork, "name" | "input" | "classes" | "scale">;
  readonly threads: number;
  /** Steps in each measurement. */
  readonly steps: number;
  /** Images of this worker in each step. */
  readonly batch: number;
  /** Of all workers; none for a process without others. */
  readonly addresses: readonly string[];
  readonly rank: number;
  /** The type of the numbers that convkit's workers send. */
  readonly wire: "float32" | "bfloat16";
}

/** One worker of `scale/…`: says when it is warm, and trains so many steps for each line on standard input. */
export async function scaleWorker(json: string): Promise<void> {
  const { network, threads, steps, batch, addresses, rank, wire } = JSON.parse(json) as ScaleRequest;
  await useEngine("native", { threads });
  if (addresses.length > 0)
    await distribute({ cluster: { worker: addresses }, task: { type: "worker", index: rank }, wire });
  const model = withoutDrawing(() => convkitNetwork(network.name));
  const whole = batch * Math.max(1, addresses.length);
  const shape = [whole * steps, ...network.input];
  const data = fromArrays({
    images: images(0, shape, network.scale),
    shape: network.input,
    labels: labels(0, whole * steps, network.classes),
    classes: Array.from({ length: network.classes }, (_, index) => String(index)),
  });
  const asked = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  let start = 0;
  // An epoch is one measurement; the first one compiles.
  await train({
    model,
    data: { name: "formula", train: data },
    epochs: 1_000_000,
    batch: whole,
    optimizer: { name: "sgd", learningRate: 0.01 },
    preprocessing: { scale: 1 },
    progress: false,
    callbacks: [
      {
        async onEpochEnd(_training, { epoch, loss }) {
          const seconds = (performance.now() - start) / 1000;
          if (epoch === 1) say({ trainable: trainableOf(model) });
          else say({ seconds, loss });
          if ((await asked.next()).done === true) process.exit(0);
          start = performance.now();
        },
      },
    ],
  });
}

function trainableOf({ trainableWeights }: ReturnType<typeof convkitNetwork>): number {
  return trainableWeights.reduce((sum, { shape }) => sum + shape.reduce<number>((size, n) => size * n!, 1), 0);
}
