import type { ReloadReport } from "./models/registry.ts";

/** A model that is served: its name and version, and what computes it. */
export interface ServedModelInfo {
  readonly name: string;
  readonly version: number;
  readonly runtime: string;
  readonly precision: string;
}

/** A server that answers requests. */
export interface ModelServer {
  /** Where it listens, for example `http://127.0.0.1:8501`. */
  readonly url: string;
  models(): ServedModelInfo[];
  /** Loads models that are new or changed on disk and swaps them in; requests inside the old ones are answered by the old ones. */
  reload(): Promise<ReloadReport>;
  /** Says it is not ready, goes on for `drainMs`, then stops to accept, answers what it accepted, and frees the models. */
  close(): Promise<void>;
}
