export { createModel, findArchitecture, isModelName } from "./create-model.ts";
export { inceptionCifar10 } from "./inception-cifar.ts";
export { lenet5 } from "./lenet.ts";
export { list } from "./list.ts";
export type { ModelInfo } from "./list.ts";
export { simpleCnn } from "./simple-cnn.ts";
export { zoo } from "./zoo.ts";
export type { ModelName } from "./zoo.ts";
