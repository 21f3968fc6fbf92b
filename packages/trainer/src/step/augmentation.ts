import { augmentationFrom, type AugmentationSpec, cutmix, mixup, type RandomSource } from "@convkit/datasets";
import * as tf from "@tensorflow/tfjs-core";

/** Changes a batch inside the training step, before preprocessing. Mixing augmentations change the targets too. */
export type BatchAugmentation = (
  images: tf.Tensor4D,
  targets: tf.Tensor,
  random?: RandomSource,
) => { readonly images: tf.Tensor4D; readonly targets: tf.Tensor };

/** The augmentations of training images as plain data, in the order of the keys; `mixup` and `cutmix` come last. */
export interface AugmentationPlan extends AugmentationSpec {
  /** Alpha of mixup (Zhang et al. 2017); no mixup by default. */
  readonly mixup?: number | undefined;
  /** Alpha of cutmix (Yun et al. 2019); no cutmix by default. */
  readonly cutmix?: number | undefined;
}

/** Makes the augmentation of a plan, for images of `classes` classes; `[n, k]` targets of labels or numbers are mixed as they are. */
export function planAugmentation(plan: AugmentationPlan, classes: number): BatchAugmentation {
  const { mixup: mixupAlpha, cutmix: cutmixAlpha, ...spec } = plan;
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
