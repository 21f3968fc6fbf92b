import { recurrentLayerPatch, layerPatch } from "./layers.ts";
import { kernelPatch } from "./kernels.ts";
import { leakCheckPatch } from "./leak-check.ts";
import { lossScalePatch } from "./loss-scale.ts";
import { nondeterminismPatch } from "./nondeterminism.ts";
import { optimizerFactoryPatch, optimizerPatch } from "./optimizers.ts";
import { randomPatch } from "./random.ts";
import { stepKernelPatch } from "./step-kernel.ts";
import { Patches } from "./patches.ts";
import type { Trace } from "../trace/trace.ts";
import type { TracePatch } from "./trace-patch.ts";
import { assignPatch, makeVariablePatch } from "./variables.ts";

/** Everything in tfjs and JavaScript that is changed while a function is traced; docs/patches.md says more. */
export const tracePatches: readonly TracePatch[] = [
  kernelPatch,
  makeVariablePatch,
  assignPatch,
  layerPatch,
  recurrentLayerPatch,
  leakCheckPatch,
  stepKernelPatch,
  optimizerPatch,
  optimizerFactoryPatch,
  randomPatch,
  nondeterminismPatch,
  lossScalePatch,
];

/** Applies all patches of a trace; what comes back undoes them. */
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
