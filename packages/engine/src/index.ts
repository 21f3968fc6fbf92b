export { EngineError } from "./engine-error.ts";
export { installEngine, type InstallOptions, type InstallProgress } from "./install.ts";
export { listEngines, removeEngine, type InstalledEngine } from "./installed.ts";
export { tensorflowLibrary, type TensorflowLibrary } from "./tensorflow-library.ts";
export {
  availableEngines,
  engineNames,
  useEngine,
  type Engine,
  type EngineName,
  type UseOptions,
} from "./use-engine.ts";
