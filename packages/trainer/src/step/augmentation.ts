import {
  augmentationFrom,
  type AugmentationSpec,
  cutmix,
  maskAugmentationFrom,
  mixup,
  type RandomSource,
} from "@convkit/datasets";
import { shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { TrainerError } from "../trainer-error.ts";

/**
 * Changes a batch inside the training step, before preprocessing. Mixing augmentations change the targets too. With
 * `jsd`, two more views of all images come behind them, in the same order; the targets are those of the images.
 */
export interface BatchAugmentation {
  (
    images: tf.Tensor4D,
    targets: tf.Tensor,
    random?: RandomSource,
  ): { readonly images: tf.Tensor4D; readonly targets: tf.Tensor };
  /** Factor of the divergence of the predictions of the three views; missing if there is one view. */
  readonly jsd?: number | undefined;
}

type AugMix = NonNullable<AugmentationSpec["augMix"]>;

/** AugMix with the loss of its paper. */
export interface ConsistentAugMix extends AugMix {
  /**
   * Factor of the Jensen-Shannon divergence among the predictions of an image without AugMix and of two mixtures of it; the usual loss
   * is that of the image without. 12 in the paper; by default the image is replaced by one mixture, and there is no such loss.
   */
  readonly jsd?: number | undefined;
}

/** The augmentation of a run. */
export interface StepAugmentation {
  readonly change: BatchAugmentation;
  /** The target that it changes; by default the only one, if there is one. */
  readonly target?: string | undefined;
}

/** Makes the augmentation of a plan for images with masks, which move as their images do. */
export function planMaskAugmentation(plan: AugmentationPlan, ignore: number | undefined): BatchAugmentation {
  const { mixup: _mixup, cutmix: _cutmix, ...spec } = plan;
  const change = maskAugmentationFrom(spec as AugmentationSpec, ignore === undefined ? {} : { outside: ignore });
  return (images, targets, random) => {
    const { images: changed, masks } = change(images, targets as tf.Tensor3D, random);
    return { images: changed, targets: masks };
  };
}

/** The augmentations of training images as plain data, in the order of the keys; `mixup` and `cutmix` come last. */
export interface AugmentationPlan extends Omit<AugmentationSpec, "augMix"> {
  /** Mixes images with chains of changes; `{}` for AugMix, none by default. */
  readonly augMix?: ConsistentAugMix | undefined;
  /** Alpha of mixup (Zhang et al. 2017); no mixup by default. */
  readonly mixup?: number | undefined;
  /** Alpha of cutmix (Yun et al. 2019); no cutmix by default. */
  readonly cutmix?: number | undefined;
}

/** Makes the augmentation of a plan, for images of `classes` classes; `[n, k]` targets of labels or numbers are mixed as they are. */
export function planAugmentation(plan: AugmentationPlan, classes: number): BatchAugmentation {
  const { mixup: mixupAlpha, cutmix: cutmixAlpha, ...spec } = plan;
  if (plan.augMix?.jsd !== undefined) return withViews(plan);
  const change = augmentationFrom(spec);
  const mixings = [
    ...(mixupAlpha === undefined ? [] : [mixup(mixupAlpha)]),
    ...(cutmixAlpha === undefined ? [] : [cutmix(cutmixAlpha)]),
  ];
  return (images, targets, random) => {
    const changed = change(images, random);
    if (mixings.length === 0) return { images: changed, targets };
    const labels = targets.rank === 1 ? tf.oneHot(targets as tf.Tensor1D, classes, 1, 0, "float32") : targets;
    const mixed = mixings.reduce((batch, mix) => mix(batch.images, batch.labels, random), {
      images: changed,
      labels: labels as tf.Tensor2D,
    });
    return { images: mixed.images, targets: mixed.labels };
  };
}

/** The other changes, and behind those images two mixtures of each by AugMix. */
function withViews({ mixup: mixupAlpha, cutmix: cutmixAlpha, augMix, ...spec }: AugmentationPlan): BatchAugmentation {
  const { jsd = 0, ...mixture } = augMix!;
  if (!(jsd > 0)) throw new TrainerError(`augMix.jsd must be a number above 0, not ${shown(jsd)}.`);
  if (mixupAlpha !== undefined || cutmixAlpha !== undefined)
    throw new TrainerError("augMix.jsd compares views of one image: leave out mixup and cutmix.");
  const base = augmentationFrom(spec);
  const mix = augmentationFrom({ augMix: mixture });
  const change: BatchAugmentation = (images, targets, random) => {
    const clean = base(images, random);
    return { images: tf.concat([clean, mix(clean, random), mix(clean, random)], 0), targets };
  };
  return Object.assign(change, { jsd });
}
