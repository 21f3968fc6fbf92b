import * as tf from "@tensorflow/tfjs-core";
import { useEngine } from "@convkit/engine";
import { allReduce, compile, distribute, PeerError } from "../../src/index.ts";

/** One worker of `distributed.test.ts`: tells what it got as lines of JSON. */
const [rank, addresses, wire, ends, leaves, timeout = 3] = JSON.parse(process.argv[2]!) as [
  number,
  string[],
  "float32" | "bfloat16",
  string?,
  boolean?,
  number?,
];
const tell = (what: unknown) => void process.stdout.write(`${JSON.stringify(what)}\n`);

await useEngine("native", { threads: 1 });
try {
  const me = await distribute({
    cluster: { chief: addresses.slice(0, 1), worker: addresses.slice(1) },
    task: rank === 0 ? { type: "chief", index: 0 } : { type: "worker", index: rank - 1 },
    timeout,
    wire,
  });
  const total = tf.variable(tf.zeros([2]));
  const step = compile((x: tf.Tensor, y: tf.Tensor) => {
    // More than a packet, so that several collective ops run at once.
    const large = [1, 2, 3].map((factor) => tf.mul(tf.onesLike(tf.zeros([700_000])), tf.mul(y, factor)));
    const [a, ...sums] = allReduce([x, ...large]);
    total.assign(tf.add(total, a!));
    return [a!, ...sums.map((sum) => tf.stack([tf.min(sum), tf.max(sum)]))];
  });
  for (let round = 0; round < 3; round += 1) {
    if (round === 2 && ends !== undefined && rank === addresses.length - 1) process.kill(process.pid, ends);
    if (round === 2 && leaves === true) {
      process.on("exit", (status) => tell({ status }));
      setTimeout(() => process.exit(3), 500);
    }
    const got = await step(tf.tensor1d([rank + 1, round / 3]), tf.scalar(10 ** rank));
    tell({ name: me.name, got: got.map(({ data }) => [...data]) });
  }
  tell({ total: [...total.dataSync()] });
} catch (error) {
  tell({ error: (error as Error).message, peers: error instanceof PeerError ? error.peers : undefined });
}
