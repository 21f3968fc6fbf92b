import type { AugmentationPlan } from "@convkit/trainer";
import type { Augmentation } from "./compute.ts";

/** The changes in the words of `train`'s option `augment`; undefined where there are none. */
export function augmentationPlan({ flip, ...factors }: Augmentation): AugmentationPlan | undefined {
  const used = Object.entries(factors).filter(([, factor]) => factor > 0);
  if (!flip && used.length === 0) return undefined;
  return { ...(flip && { flip: "horizontal" as const }), ...Object.fromEntries(used) };
}
