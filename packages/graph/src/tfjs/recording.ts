import type * as tf from "@tensorflow/tfjs-core";
import type { EagerAttr } from "../ir/graph-node.ts";
import { GraphError } from "../graph-error.ts";
import type { TypedArray } from "../values/dtypes.ts";
import type { Entry } from "./backend.ts";

/** Records ops in place of the eager executor while a function is traced. */
export interface OpRecorder {
  record(op: string, attrs: readonly EagerAttr[], inputs: readonly tf.TensorInfo[], outputs: number): tf.Tensor[];
  /** Called when JavaScript reads the value of a recorded tensor during the trace. */
  readBack(entry: Entry): TypedArray;
}

/** The only place that stores the active recorder. */
let recorder: OpRecorder | undefined;

/** The recorder of the trace in progress; undefined outside of a trace and within `eagerly`. */
export function activeRecorder(): OpRecorder | undefined {
  return recorder;
}

/** Whether a function is being traced: its tensors have shapes and types, and no values. */
export function isTracing(): boolean {
  return recorder !== undefined;
}

/** Lets `next` record all ops while `body` runs. */
export function withRecorder<T>(next: OpRecorder, body: () => T): T {
  if (recorder !== undefined) throw new GraphError("A compiled function cannot be traced while another one is.");
  recorder = next;
  try {
    return body();
  } finally {
    recorder = undefined;
  }
}

/** Runs ops eagerly in the middle of a trace, for values that are needed at once. */
export function eagerly<T>(body: () => T): T {
  const paused = recorder;
  recorder = undefined;
  try {
    return body();
  } finally {
    recorder = paused;
  }
}
