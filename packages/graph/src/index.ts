export { accelerate } from "./accelerate.ts";
export { compile } from "./compile.ts";
export { executable } from "./execute/executable.ts";
export { loadSavedModel } from "./saved-model/load.ts";
export * from "./everywhere.ts";
