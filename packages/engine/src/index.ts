export { doctor, type DoctorReport, type EngineCheck, type Precision, type Problem } from "./doctor/examine.ts";
export { EngineError } from "./engine-error.ts";
export { formatDoctor } from "./doctor/format.ts";
export { installEngine, type InstallOptions } from "./install/install.ts";
export type { InstallProgress } from "./install/progress.ts";
export { listEngines, type InstalledEngine } from "./install/installed.ts";
export { removeEngine, type RemoveOptions } from "./install/remove.ts";
export { tensorflowLibrary, type TensorflowLibrary } from "./tensorflow/library.ts";
export { availableEngines, engineNames, useEngine } from "./use-engine.ts";
export {
  type Engine,
  type EngineName,
  type GpuAdapter,
  type PageEngineName,
  pageEngineNames,
  type UseOptions,
} from "./engine.ts";
export { OutOfMemoryError } from "./wasm/index.ts";
