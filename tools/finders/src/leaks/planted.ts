import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import * as tf from "@tensorflow/tfjs-core";
import { tensorflow } from "../../../../packages/graph/src/native/c-api.ts";
import { repeated } from "./cases.ts";
import type { Held, Repeated } from "./measure.ts";

/** Small leaks, each added to predictions: what `leaks` of its growth must name. Each gives back what it took. */
const leaks: Record<keyof Held, () => () => void> = {
  tensors() {
    const tensor = tf.zeros([1]);
    return () => tensor.dispose();
  },
  sessions() {
    const { TF_NewGraph, TF_NewSession, TF_NewSessionOptions, TF_NewStatus, TF_DeleteSession } = tensorflow();
    const status = TF_NewStatus();
    const session = TF_NewSession(TF_NewGraph(), TF_NewSessionOptions(), status);
    return () => TF_DeleteSession(session, status);
  },
  files() {
    const file = openSync(devNull, "r");
    return () => closeSync(file);
  },
  heap: () => keep(Array.from({ length: 128 }, (_, i) => i + 0.5)),
  buffers: () => keep(new ArrayBuffer(1024)),
  resident() {
    const bytes = new Uint8Array(1 << 20).fill(1);
    const buffer = tensorflow().TF_NewBufferFromString(bytes, bytes.length);
    return () => tensorflow().TF_DeleteBuffer(buffer);
  },
};

const kept = new Set<unknown>();

function keep(value: unknown): () => void {
  kept.add(value);
  return () => kept.delete(value);
}

const predictions = repeated.find(({ name }) => name === "predictions")!;

/** Predictions that leak on purpose, one kind of memory each, on the native engine. */
export const planted: readonly Repeated[] = Object.entries(leaks).map(([name, leak]) => ({
  name,
  times: { long: 1_000, short: 40 },
  async begin() {
    const { once, end } = await predictions.begin();
    const back: (() => void)[] = [];
    return {
      async once() {
        await once();
        back.push(leak());
      },
      async end() {
        for (const give of back) give();
        await end();
      },
    };
  },
}));
