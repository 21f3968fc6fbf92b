import * as tf from "@tensorflow/tfjs-core";

/** Milliseconds that reads of tensors may hold the event loop in one of its turns, all together. */
const longestBlock = 50;

/** When the first read of the present turn was; undefined before it. */
let blockedSince: number | undefined;

const withTurns = new WeakSet<object>();

/**
 * Lets the event loop turn where a backend computes on JavaScript's own thread. There `await tensor.data()` is answered at once, and a
 * loop of computations and such reads would be deaf to signals, timers and the network until its end. The values are read before.
 */
export function letEventLoopTurn(backendName: string): void {
  const backend = Object.getPrototypeOf(tf.findBackend(backendName)) as tf.KernelBackend;
  if (withTurns.has(backend)) return;
  withTurns.add(backend);
  const { read } = backend;
  backend.read = async function (dataId) {
    const values = await read.call(this, dataId);
    const now = performance.now();
    if (blockedSince === undefined) {
      blockedSince = now;
      setImmediate(() => (blockedSince = undefined));
    } else if (now - blockedSince > longestBlock) await new Promise((resolve) => setImmediate(resolve));
    return values;
  };
}
