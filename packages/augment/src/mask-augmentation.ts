import { checkOptions, OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { augmentationFrom, type AugmentationSpec } from "./augmentation-spec.ts";
import type { Augmentation } from "./augmentation.ts";
import type { FillMode } from "./geometry/affine-options.ts";
import { randMoves } from "./rand-augment.ts";
import { layersRandom, type RandomSource } from "./random/random-source.ts";

/** Images and the class of each pixel: `[n, h, w, c]` and `[n, h, w]`. */
export interface MaskedImages {
  readonly images: tf.Tensor4D;
  /** Class numbers, int32. */
  readonly masks: tf.Tensor3D;
}

/** Changes images, and moves their masks as the images move. */
export type MaskAugmentation = (images: tf.Tensor4D, masks: tf.Tensor3D, random?: RandomSource) => MaskedImages;

/** Options of `maskAugmentationFrom`. */
export interface MaskAugmentationOptions {
  /** The class of pixels that come from outside a mask where `fill` is "constant" or a crop pads; 0 by default. */
  readonly outside?: number | undefined;
}

/**
 * Makes the augmentation that plain data describes, for images with masks. Flips, crops, rotations, zooms, translations and
 * the moves of RandAugment move image and mask by the same random numbers, the mask by its nearest pixel. Changes of color
 * and erased rectangles leave masks alone. Throws an OptionError for unknown keys and invalid values.
 */
export function maskAugmentationFrom(spec: AugmentationSpec, options: MaskAugmentationOptions = {}): MaskAugmentation {
  checkOptions("maskAugmentationFrom", options, { outside: true });
  const { outside = 0 } = options;
  if (!Number.isInteger(outside)) {
    throw new OptionError(`maskAugmentationFrom: expected a class number as outside, got ${shown(outside)}.`);
  }
  // Checks the keys, too.
  augmentationFrom(spec);
  const policy = (["autoAugment", "trivialAugment", "augMix"] as const).find((key) => spec[key] !== undefined);
  if (policy !== undefined) {
    throw new OptionError(
      `maskAugmentationFrom: expected no ${policy}, which moves images and not their masks; use randAugment, flip, rotation, zoom, translation or crop.`,
    );
  }
  const parts = Object.entries(spec).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [
          {
            ofImages: augmentationFrom({ [key]: value }),
            ofMasks: moveOf(key as keyof AugmentationSpec, value, outside),
          },
        ],
  );
  return (images, masks, random = layersRandom) => {
    const isMask = masks.rank === 3 && masks.shape.every((size, axis) => size === images.shape[axis]);
    if (!isMask) {
      throw new OptionError(
        `Augmentation: expected masks of the shape [${images.shape.slice(0, 3).join(", ")}], got [${masks.shape.join(", ")}].`,
      );
    }
    return tf.tidy(() => {
      let changed: tf.Tensor4D = images;
      let moved = tf.expandDims(tf.cast(masks, "float32"), 3) as tf.Tensor4D;
      for (const { ofImages, ofMasks } of parts) {
        const drawn = recorder(random);
        changed = ofImages(changed, drawn.source);
        if (ofMasks !== undefined) moved = ofMasks(moved, drawn.again());
        drawn.dispose();
      }
      return { images: changed, masks: tf.cast(tf.squeeze(moved, [3]), "int32") as tf.Tensor3D };
    });
  };
}

/** The move of masks that belongs to a change of images; undefined if the change moves no pixel. */
function moveOf(key: keyof AugmentationSpec, value: unknown, outside: number): Augmentation | undefined {
  if (key === "flip") return augmentationFrom({ flip: value as "both" });
  if (key === "crop") {
    return augmentationFrom({ crop: { ...(value as { height: number; width: number }), fillValue: outside } });
  }
  if (key === "randAugment") return randMoves(value as object, outside);
  if (key !== "rotation" && key !== "zoom" && key !== "translation") return undefined;
  const given = typeof value === "object" && !Array.isArray(value) ? (value as { factor: number }) : { factor: value };
  const options: { factor: unknown; fill?: FillMode } = given;
  return augmentationFrom({ [key]: { ...options, interpolation: "nearest", fillValue: outside } });
}

/** Passes random numbers on, and gives the same ones once more. */
function recorder(random: RandomSource): {
  readonly source: RandomSource;
  readonly again: () => RandomSource;
  readonly dispose: () => void;
} {
  const drawn: tf.Tensor[] = [];
  const kept = (values: tf.Tensor): tf.Tensor => {
    drawn.push(tf.keep(tf.clone(values)));
    return values;
  };
  return {
    source: {
      uniform: (shape, min, max) => kept(random.uniform(shape, min, max)),
      normal: (shape, mean, deviation) => kept(random.normal(shape, mean, deviation)),
    },
    again() {
      let place = 0;
      const next = (): tf.Tensor => tf.clone(drawn[place++]!);
      return { uniform: next, normal: next };
    },
    dispose: () => tf.dispose(drawn),
  };
}
