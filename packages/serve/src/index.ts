export { superviseServers } from "./processes/supervisor.ts";
export type { SuperviseOptions } from "./processes/supervisor.ts";
export { serve } from "./serve.ts";
export type { ModelServer, ServedModelInfo } from "./model-server.ts";
export type { LoadSource, ModelSource, ModelWithImages } from "./models/model-source.ts";
export type { ReloadReport } from "./models/registry.ts";
export { ServeError } from "./serve-error.ts";
export type { LogEntry, ServeOptions } from "./serve-options.ts";
