import * as tf from "@tensorflow/tfjs-core";
import { forgetSortedLayers } from "../tfjs/sorted-layers.ts";
import type { Executable, Feed, Settle, TensorFunction, Values } from "./executable-types.ts";

/** Runs `fn` op by op at each call. */
export function eagerExecutable(fn: TensorFunction, settle?: Settle): Executable {
  return {
    runs: 0,
    kept: [],
    async run(feeds) {
      const outputs = tf.tidy(() => fn(...feeds.map(tensorOf)));
      this.runs += 1;
      const values = await Promise.all(
        outputs.map(async (output) => ({ data: await output.data<"float32">(), shape: output.shape })),
      );
      tf.dispose(outputs);
      settle?.(values);
      // A backend that computes on JavaScript's thread never yields: without this pause, a loop of calls blocks signals, timers and
      // the page.
      await nextTurn();
      return values;
    },
    async runAll(calls, before) {
      const results: Values[][] = [];
      for (const [call, feeds] of calls.entries()) {
        before?.(call);
        results.push(await this.run(feeds));
      }
      return results;
    },
    async sync() {},
    async dispose() {
      forgetSortedLayers();
    },
  };
}

function tensorOf({ data, shape }: Feed): tf.Tensor {
  // tfjs has no byte tensors: bytes become float32.
  const values = data instanceof Uint8Array ? Float32Array.from(data) : data;
  return tf.tensor(values, [...shape], values instanceof Int32Array ? "int32" : "float32");
}

/** Lets the event loop turn once. Pages have no `setImmediate`, and delay the shortest timer by 4 ms: a message comes sooner. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}
