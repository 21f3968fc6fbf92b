export { memoryTensor } from "./named-tensor.ts";
export type { NamedTensor, StoredType, TensorData } from "./named-tensor.ts";
export { openWeights } from "./open-weights.ts";
export type { WeightsFile, WeightsFormat } from "./open-weights.ts";
export type { LayerTensors } from "./keras/keras-h5.ts";
export { WeightsError } from "./weights-error.ts";
