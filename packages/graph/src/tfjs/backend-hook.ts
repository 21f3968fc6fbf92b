import * as tf from "@tensorflow/tfjs-core";
import type { EagerAttr, Ref } from "../ir/graph-node.ts";
import { GraphError } from "../graph-error.ts";
import type { TypedArray } from "../values/dtypes.ts";

/** Something that holds a tensor's value outside of tfjs: a variable of a session. */
export interface Owner {
  /** The value as it is now. */
  read(): TypedArray;
  /** tfjs let go of the data: the variable was disposed, or assigned to. */
  letGo(): void;
}

/** What tfjs-node's backend keeps of a tensor, and what this package adds. */
export interface Entry {
  shape: readonly number[];
  dtype: number;
  values: TypedArray | null;
  id: number;
  refCount: number;
  /** In a trace: the output of a node. */
  ref?: Ref;
  /** The trace that the node is of. */
  recorder?: Recorder;
  /** The value lives in a session. */
  owner?: Owner;
  /** All elements equal this, and nothing is stored. */
  fill?: number;
}

/** tfjs-node's backend, as far as it is used here. */
export interface Backend {
  binding: {
    executeOp(op: string, attrs: readonly EagerAttr[], ids: number[], outputs: number): unknown[];
    tensorDataSync(id: number): TypedArray;
    deleteTensor(id: number): void;
  };
  isUsingGpuDevice: boolean;
  tensorMap: {
    get(dataId: object): Entry | undefined;
    set(dataId: object, entry: Entry): void;
    has(dataId: object): boolean;
  };
  executeSingleOutput(op: string, attrs: readonly EagerAttr[], inputs: tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(op: string, attrs: readonly EagerAttr[], inputs: tf.TensorInfo[], n: number): tf.Tensor[];
  getInputTensorIds(tensors: tf.TensorInfo[]): number[];
  readSync(dataId: object): TypedArray;
  disposeData(dataId: object, force?: boolean): boolean;
  incRef(dataId: object): void;
}

/** Who records ops instead of the eager executor, while a function is traced. */
export interface Recorder {
  record(op: string, attrs: readonly EagerAttr[], inputs: readonly tf.TensorInfo[], outputs: number): tf.Tensor[];
  readBack(entry: Entry): TypedArray;
}

let recorder: Recorder | undefined;
const hooked = new WeakSet<Backend>();

/** Whether a function is being traced: its tensors have shapes and types, and no values. */
export function isTracing(): boolean {
  return recorder !== undefined;
}

/** The active "tensorflow" backend with this package's hooks; throws where another backend is active. */
export function hookedBackend(): Backend {
  if (tf.getBackend() !== "tensorflow")
    throw new GraphError(
      `Compiled functions need the "tensorflow" backend and the active one is "${tf.getBackend()}"; await useEngine("native") of @convkit/engine, or import @tensorflow/tfjs-node.`,
    );
  const backend = tf.backend() as unknown as Backend;
  if (!hooked.has(backend)) hook(backend);
  return backend;
}

/** Lets `next` record all ops while `body` runs. */
export function withRecorder<T>(next: Recorder, body: () => T): T {
  if (recorder !== undefined) throw new GraphError("A compiled function cannot be traced while another one is.");
  recorder = next;
  try {
    return body();
  } finally {
    recorder = undefined;
  }
}

/** What the backend keeps of a tensor's data; undefined once it is disposed. */
export function entryOf({ tensorMap }: Backend, dataId: object): Entry | undefined {
  return tensorMap.has(dataId) ? tensorMap.get(dataId) : undefined;
}

/** Runs ops eagerly in the middle of a trace: for values that must be known at once. */
export function eagerly<T>(body: () => T): T {
  const paused = recorder;
  recorder = undefined;
  try {
    return body();
  } finally {
    recorder = paused;
  }
}

/** A tensor whose entry is given: the handle that tfjs passes around. */
export function tensorOf(backend: Backend, entry: Entry, dtype: tf.DataType): tf.Tensor {
  const dataId = {};
  backend.tensorMap.set(dataId, entry);
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape: [...entry.shape], dtype });
}

function hook(backend: Backend): void {
  hooked.add(backend);
  const { executeSingleOutput, executeMultipleOutputs, getInputTensorIds, readSync, disposeData } = backend;
  backend.executeSingleOutput = function (op, attrs, inputs) {
    if (recorder !== undefined) return recorder.record(op, attrs, inputs, 1)[0] as tf.Tensor;
    return executeSingleOutput.call(this, op, attrs, inputs);
  };
  backend.executeMultipleOutputs = function (op, attrs, inputs, n) {
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
    const gone = disposeData.call(this, dataId, force);
    if (gone) owner?.letGo();
    return gone;
  };
}

function needsValue(entry: Entry): boolean {
  return entry.values === null && entry.id < 0;
}

function valueOf(entry: Entry): TypedArray {
  if (entry.owner !== undefined) return entry.owner.read();
  if (entry.fill !== undefined) {
    const size = entry.shape.reduce((a, b) => a * b, 1);
    return entry.dtype === 3 ? new Int32Array(size).fill(entry.fill) : new Float32Array(size).fill(entry.fill);
  }
  if (recorder !== undefined) return recorder.readBack(entry);
  throw new GraphError(
    "This tensor was made inside a compiled function and has no value outside of it; return it from the function to get its value.",
  );
}
