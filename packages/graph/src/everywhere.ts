/** What is the same in Node and in web pages. */
export type { Accelerated, AccelerateOptions } from "./accelerate-options.ts";
export type { AllReduceOptions } from "./distributed/all-reduce.ts";
export { membersOf } from "./distributed/cluster.ts";
export type { Cluster, Member, Task } from "./distributed/cluster.ts";
export type { DistributeOptions, Worker } from "./distributed/distribute.ts";
export { PeerError } from "./distributed/peer-error.ts";
export { isTracing } from "./tfjs/recording.ts";
export type { Compiled } from "./compile.ts";
export type { CompileOptions } from "./compile-options.ts";
export type { TraceDescription } from "./compiled/describe.ts";
export type { Executable, ExecutionOptions, Feed, Settle, Values } from "./execute/executable-types.ts";
export type { RewriteDescription } from "./passes/index.ts";
export { GraphError } from "./graph-error.ts";
export { HostTensor } from "./values/host-tensor.ts";
export type { HostData } from "./values/host-tensor.ts";
export { hyper } from "./hyper.ts";
export type { Hyper } from "./hyper.ts";
export type { LoadedSavedModel, LoadSavedModelOptions } from "./saved-model/load.ts";
export type { LoadedVariable } from "./saved-model/variables.ts";
export { clipGradients } from "./optimizers/clipping.ts";
export type { Clipping } from "./optimizers/clipping.ts";
export { adam, adamw, rmsprop, sgd } from "./optimizers/optimizer.ts";
export type {
  AdamOptions,
  AdamWOptions,
  PerVariable,
  RmsPropOptions,
  RuleOptimizer,
  SgdOptions,
  VariableOptions,
} from "./optimizers/optimizer.ts";
export type { Profile, TraceEvent } from "./session/profile.ts";
export { random } from "./random.ts";
export type { SavedModelOptions } from "./saved-model/write.ts";
export type { TensorDescription } from "./saved-model/signature.ts";
export type { Input, Result, TensorLike } from "./values/nested.ts";
