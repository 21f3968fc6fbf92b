import type { Trace } from "../trace/trace.ts";
import type { Patches } from "./patches.ts";

/** A change of tfjs or JavaScript that lasts for one trace. */
export interface TracePatch {
  /** The replaced functions, as docs/patches.md lists them. */
  readonly targets: readonly string[];
  apply(patches: Patches, trace: Trace): void;
}
