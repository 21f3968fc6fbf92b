import * as tf from "@tensorflow/tfjs-core";

/** An attribute of a TensorFlow op, in the form of tfjs-node's backend. */
export interface OpAttribute {
  name: string;
  type: number;
  value: unknown;
}

/** The part of tfjs-node's backend that this package calls. A recorder of tfjs' calls records these calls too. */
export interface TensorFlowBackend {
  readonly binding: Readonly<Record<string, number>>;
  executeSingleOutput(op: string, attributes: OpAttribute[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(op: string, attributes: OpAttribute[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
}

/** The backend that runs TensorFlow's own kernels; undefined if another one (wasm, cpu, a browser's) is active. */
export function tensorFlowBackend(): TensorFlowBackend | undefined {
  return tf.getBackend() === "tensorflow" ? (tf.backend() as unknown as TensorFlowBackend) : undefined;
}

/** Attributes by their TensorFlow type, for example `opAttributes(backend, { FLOAT: { epsilon }, BOOL: { is_training } })`. */
export function opAttributes(
  backend: TensorFlowBackend,
  byType: Partial<Record<"FLOAT" | "BOOL" | "STRING" | "TYPE" | "INT", Record<string, unknown>>>,
): OpAttribute[] {
  return Object.entries(byType).flatMap(([type, values]) =>
    Object.entries(values).map(([name, value]) => ({
      name,
      type: backend.binding[`TF_ATTR_${type}`] as number,
      value,
    })),
  );
}
