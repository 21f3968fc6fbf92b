import type { TrackerServer } from "../terminal/parsers.ts";
import type { WorkerOptions } from "./worker-run.ts";

/** The folder of a run, and the options of this process. */
export interface RunPlace {
  readonly folder: string;
  readonly isResumed: boolean;
  readonly workers: number | undefined;
  readonly strict: boolean | undefined;
  readonly cacheDecoded: boolean | undefined;
  readonly cacheLimit: number | undefined;
  readonly keepGoing: boolean | undefined;
  readonly webhook: string | undefined;
  /** The server of MLflow or trackio. */
  readonly tracker: TrackerServer | undefined;
  /** How this process trains with others; missing if it trains alone. */
  readonly worker?: WorkerOptions | undefined;
  /** True for a trial of a search, whose model is not used again. */
  readonly isTrial?: boolean;
}
