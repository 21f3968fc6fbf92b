import process from "node:process";

import * as tf from "@tensorflow/tfjs-core";

import { useEngine } from "../../src/index.ts";

interface Device {
  readonly lost: Promise<unknown>;
  destroy(): void;
  createBuffer(options: object): void;
}

/** Computes with the webgpu engine, does to it what fails, and prints what came of it as JSON. It ends by itself. */
const notices: string[] = [];
const engine = await useEngine("webgpu", { onNotice: (line) => notices.push(line) });
const failure = async (work: () => unknown): Promise<string> => {
  try {
    return `no error: ${String(await work())}`;
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
};
const product = tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]]));
const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.conv2d(x as tf.Tensor4D, tf.ones([3, 3, 1, 2]), 1, "same")));
const values = { product: [...(await product.data())], gradient: [...(await gradient(tf.ones([1, 3, 3, 1])).data())] };
const fresh = tf.add(product, 1);
const synchronous = await failure(() => fresh.dataSync());
const kept = tf.memory().numTensors;
const bytes: number[] = [];
for (let turn = 0; turn < 20; turn += 1) {
  const large = tf.fill([1 << 18], turn);
  await large.data();
  large.dispose();
  bytes.push((tf.memory() as unknown as { numBytesInGPU: number }).numBytesInGPU);
}
const memory = { tensors: tf.memory().numTensors - kept, bytes: bytes.at(-1)! - bytes[1]! };
const tooLarge = await failure(async () => (await tf.fill([engine.adapter!.largestTensor / 4 + 1024], 1).data())[0]);
const afterwards = [...(await tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[5], [6]])).data())];
const { device } = tf.backend() as unknown as { device: Device };
device.createBuffer({ size: 16, usage: 0 });
const refused = await failure(async () => (await tf.add(fresh, 2).data())[0]);
device.destroy();
await device.lost;
const lost = await failure(async () => (await tf.add(fresh, 1).data())[0]);
const again = await failure(async () => (await tf.mul(fresh, 2).data())[0]);
const page = (globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu === undefined ? "none" : "left";
process.stdout.write(
  JSON.stringify({ engine, notices, values, synchronous, memory, tooLarge, afterwards, refused, lost, again, page }),
);
