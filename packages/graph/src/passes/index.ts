import type { Changes, Rewrite, RewriteLog } from "../ir/rewrite.ts";
import { peepholeRules } from "../peephole/peephole.ts";
import { uniformConstantAsFill } from "../peephole/uniform-constant-as-fill.ts";
import { fusedUpdates } from "../trace/fused-updates.ts";
import { convolutionAsMatmul } from "./convolution-as-matmul.ts";
import { cropFilters } from "./crop-filters.ts";
import { depthwiseGradientAsConvolution } from "./depthwise-gradient-as-convolution.ts";
import { foldBatchNorm } from "./fold-batch-norm.ts";
import { freeze } from "./freeze.ts";
import { fuseShortcut } from "./fuse-shortcut.ts";
import { leakyReluAsSelect } from "./leaky-relu-as-select.ts";
import { mixedPrecision } from "./mixed-precision.ts";
import { padBeforeConvolution } from "./pad-before-convolution.ts";
import type { Pass, PassGraph, PassOptions } from "./pass.ts";
import { keepNan } from "./keep-nan.ts";
import { writeBarrier } from "./write-barrier.ts";

/** The passes over a recorded graph, in the order in which they run. */
const passes: readonly Pass[] = [
  freeze,
  foldBatchNorm,
  fuseShortcut,
  leakyReluAsSelect,
  cropFilters,
  padBeforeConvolution,
  convolutionAsMatmul,
  depthwiseGradientAsConvolution,
  mixedPrecision,
  keepNan,
  writeBarrier,
];

/**
 * All rewrites of the graph, in order. Rules come first: they are applied op by op while a function is recorded, so that tfjs
 * derives gradients from the simplified ops.
 */
export const rewrites: readonly (Rewrite | Pass)[] = [uniformConstantAsFill, ...peepholeRules, fusedUpdates, ...passes];

/** The changes of one rewrite to one graph. */
export interface RewriteDescription {
  /** The rewrite's name, which is also its file's. */
  name: string;
  description: string;
  /** Number of changed ops by op type; empty if there are none. */
  changes: Changes;
}

/** Returns the changes of all rewrites, in order: runs the passes, and takes the changes of rules from `recorded`. */
export function runPasses(graph: PassGraph, options: PassOptions, recorded: RewriteLog): RewriteDescription[] {
  return rewrites.flatMap((rewrite) => {
    const { name, description } = rewrite;
    if (!("run" in rewrite)) return [{ name, description, changes: recorded.of(rewrite) }];
    return rewrite.when(options) ? [{ name, description, changes: rewrite.run(graph, options) }] : [];
  });
}
