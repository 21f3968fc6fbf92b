import { recurrentLayerPatch, layerPatch } from "./layers.ts";
import { backwardPatch, kernelPatch } from "./kernels.ts";
import { leakCheckPatch } from "./leak-check.ts";
import { lossScalePatch } from "./loss-scale.ts";
import { nondeterminismPatch } from "./nondeterminism.ts";
import { optimizerFactoryPatch, optimizerPatch } from "./optimizers.ts";
import { ownOptimizerPatch, recordUpdatePatch } from "./own-optimizers.ts";
import { randomPatch } from "./random.ts";
import { stepKernelPatch } from "./step-kernel.ts";
import { Patches } from "./patches.ts";
import type { Trace } from "../trace/trace.ts";
import type { TracePatch } from "./trace-patch.ts";
import { assignPatch, makeVariablePatch } from "./variables.ts";

/** All changes to tfjs and JavaScript during a trace; docs/patches.md explains them. */
export const tracePatches: readonly TracePatch[] = [
  kernelPatch,
  backwardPatch,
  makeVariablePatch,
  assignPatch,
  layerPatch,
  recurrentLayerPatch,
  leakCheckPatch,
  stepKernelPatch,
  optimizerPatch,
  optimizerFactoryPatch,
  recordUpdatePatch,
  ownOptimizerPatch,
  randomPatch,
  nondeterminismPatch,
  lossScalePatch,
];

/** Applies all patches of a trace; undo them with the returned object. */
export function applyTracePatches(trace: Trace): Patches {
  const patches = new Patches();
  try {
    for (const patch of tracePatches) patch.apply(patches, trace);
  } catch (error) {
    patches.undo();
    throw error;
  }
  return patches;
}
