import { activeRecorder } from "../tfjs/recording.ts";
import type { Trace } from "./trace.ts";

/**
 * The trace in progress, for functions that record more than tfjs' own ops; undefined outside of a trace. Only the type is imported:
 * optimizers and random numbers use this function in web pages, too, where nothing is traced.
 */
export function activeTrace(): Trace | undefined {
  // `record` is the only caller of `withRecorder`, and gives it a trace.
  return activeRecorder() as Trace | undefined;
}
