import { activeRecorder } from "../tfjs/recording.ts";
import { Trace } from "./trace.ts";

/** The trace in progress, for functions that record more than tfjs' own ops; undefined outside of a trace. */
export function activeTrace(): Trace | undefined {
  const recorder = activeRecorder();
  return recorder instanceof Trace ? recorder : undefined;
}
