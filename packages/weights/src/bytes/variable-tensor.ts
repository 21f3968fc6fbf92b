import type * as tfl from "@tensorflow/tfjs-layers";
import { computedTensor } from "./named-tensor.ts";
import type { NamedTensor, TensorData } from "./named-tensor.ts";

/** A weight as a tensor whose values are copied out of the engine only when `read` is called. */
export function variableTensor(name: string, variable: tfl.LayerVariable): NamedTensor {
  const dtype = variable.dtype === "int32" ? "int32" : "float32";
  const read = () => variable.read().dataSync() as TensorData;
  return computedTensor({ name, shape: variable.shape as number[], dtype, place: name, read });
}
