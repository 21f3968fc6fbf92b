export { accelerate } from "./accelerate.ts";
export { compile } from "./compile.ts";
export { executable } from "./execute/executable.ts";
export { allReduce } from "./distributed/all-reduce.ts";
export { distribute, thisWorker } from "./distributed/distribute.ts";
export { loadSavedModel } from "./saved-model/load.ts";
export * from "./everywhere.ts";
