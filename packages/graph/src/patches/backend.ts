import * as tf from "@tensorflow/tfjs-core";
import { GraphError } from "../graph-error.ts";
import { entryOf } from "../tfjs/backend.ts";
import type { Backend, Entry } from "../tfjs/backend.ts";
import { activeRecorder } from "../tfjs/recording.ts";
import { DT, sizeOf } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";

const patched = new WeakSet<Backend>();

/** The active "tensorflow" backend with this package's patches; throws if another backend is active. */
export function patchedBackend(): Backend {
  if (tf.getBackend() !== "tensorflow")
    throw new GraphError(
      `Compiled functions need the "tensorflow" backend and the active one is "${tf.getBackend()}"; await useEngine("native") of @convkit/engine, or import @tensorflow/tfjs-node.`,
    );
  const backend = tf.backend() as unknown as Backend;
  if (!patched.has(backend)) patchBackend(backend);
  return backend;
}

/**
 * What: five methods of tfjs-node's backend, on the backend's instance. Ops go to the active recorder, and the values of
 * tensors that live in a session come from there.
 * Why: every kernel of that backend ends in `executeSingleOutput` or `executeMultipleOutputs`, so a trace sees every op; and
 * a weight that TensorFlow holds reads as any other.
 * Undone: never. Variables keep living in sessions after a trace, and outside of a trace ops run as before.
 */
function patchBackend(backend: Backend): void {
  patched.add(backend);
  const { executeSingleOutput, executeMultipleOutputs, getInputTensorIds, readSync, disposeData } = backend;
  backend.executeSingleOutput = function (op, attrs, inputs) {
    const recorder = activeRecorder();
    if (recorder !== undefined) return recorder.record(op, attrs, inputs, 1)[0] as tf.Tensor;
    return executeSingleOutput.call(this, op, attrs, inputs);
  };
  backend.executeMultipleOutputs = function (op, attrs, inputs, n) {
    const recorder = activeRecorder();
    if (recorder !== undefined) return recorder.record(op, attrs, inputs, n);
    return executeMultipleOutputs.call(this, op, attrs, inputs, n);
  };
  backend.getInputTensorIds = function (tensors) {
    for (const tensor of tensors) {
      const entry = tensor.dataId === undefined ? undefined : entryOf(this, tensor.dataId);
      if (entry !== undefined && needsValue(entry)) entry.values = valueOf(entry);
    }
    return getInputTensorIds.call(this, tensors);
  };
  backend.readSync = function (dataId) {
    const entry = entryOf(this, dataId);
    if (entry !== undefined && needsValue(entry)) entry.values = valueOf(entry);
    return readSync.call(this, dataId);
  };
  backend.disposeData = function (dataId, force = false) {
    const owner = entryOf(this, dataId)?.owner;
    const isGone = disposeData.call(this, dataId, force);
    if (isGone) owner?.letGo();
    return isGone;
  };
}

/** True if neither JavaScript nor TensorFlow holds the value. */
function needsValue(entry: Entry): boolean {
  return entry.values === null && entry.id < 0;
}

function valueOf(entry: Entry): TypedArray {
  if (entry.owner !== undefined) return entry.owner.read();
  if (entry.fill !== undefined) {
    const size = sizeOf(entry.shape);
    return entry.dtype === DT.int32 ? new Int32Array(size).fill(entry.fill) : new Float32Array(size).fill(entry.fill);
  }
  const recorder = activeRecorder();
  if (recorder !== undefined) return recorder.readBack(entry);
  throw new GraphError(
    "This tensor was made inside a compiled function and has no value outside of it; return it from the function to get its value.",
  );
}
