import * as tf from "@tensorflow/tfjs-core";
import type { EagerAttr, Ref } from "../ir/graph-node.ts";
import type { TypedArray } from "../values/dtypes.ts";

/** The holder of a tensor's value outside of tfjs: a variable of a session. */
export interface Owner {
  readonly variable: tf.Variable;
  /** Reads the current value. */
  read(): TypedArray;
  /** Gives the variable new data, and leaves its value in the old data, which other tensors share. */
  detach(): void;
  /** Called when tfjs drops the data: its variable was disposed, or assigned to. */
  letGo(): void;
}

/** The record of tfjs-node's backend for a tensor's data, with the fields that this package adds. */
export interface Entry {
  shape: readonly number[];
  dtype: number;
  /** The elements in JavaScript, until an op needs them in TensorFlow. */
  values: TypedArray | null;
  /** tfjs-node's number of the TensorFlow tensor; negative if there is none. */
  id: number;
  refCount: number;
  /** In a trace: the node output that gives the value. */
  ref?: Ref;
  /** The trace that the node belongs to. */
  recorder?: object;
  /** Holds the value while it lives in a session. */
  owner?: Owner;
  /** All elements equal this number, and nothing is stored. */
  fill?: number;
}

/** The parts of tfjs-node's backend that this package uses. */
export interface Backend {
  binding: {
    TF_ATTR_TYPE: number;
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

/** The backend's record of a tensor's data; undefined once the data is disposed. */
export function entryOf({ tensorMap }: Backend, dataId: object): Entry | undefined {
  return tensorMap.has(dataId) ? tensorMap.get(dataId) : undefined;
}

/** Makes a tfjs tensor over a given entry. */
export function tensorOf(backend: Backend, entry: Entry, dtype: tf.DataType): tf.Tensor {
  const dataId = {};
  backend.tensorMap.set(dataId, entry);
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape: [...entry.shape], dtype });
}

const { assign } = tf.Variable.prototype;

/** Assigns to a variable with tfjs' original method, even while a trace has replaced that method. */
export function assignUntraced(variable: tf.Variable, value: tf.Tensor): void {
  assign.call(variable, value);
}
