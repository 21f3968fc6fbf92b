import { OptionError, shown } from "@convkit/errors";
import type * as tf from "@tensorflow/tfjs-core";
import type { layers } from "@tensorflow/tfjs-layers";
import { RandomBrightness, RandomContrast } from "./color-layers.ts";
import { RandomFlip, RandomRotation, RandomTranslation, RandomZoom } from "./geometry-layers.ts";
import type { BaseArgs } from "./keras-arguments.ts";

/** The form in which older versions of convkit wrote Keras' random layers, with the class name RandomAugmentation. */
interface OldAugmentation {
  readonly flip?: string;
  readonly rotation?: readonly [number, number];
  readonly height?: readonly [number, number];
  readonly width?: readonly [number, number];
  readonly moves?: "zoom" | "translation";
  /** Factors about 1. */
  readonly contrast?: readonly [number, number];
  /** Differences of pixel values. */
  readonly brightness?: readonly [number, number];
  readonly fill?: string;
}

/** Reads the class name RandomAugmentation in older files: `fromConfig` returns the layer under Keras' name. */
export const RandomAugmentation = {
  className: "RandomAugmentation",
  fromConfig(_: unknown, config: tf.serialization.ConfigDict): layers.Layer {
    const { augmentation, ...base } = config as unknown as BaseArgs & { augmentation: OldAugmentation };
    return layerOf(augmentation, base);
  },
} as const;

function layerOf(old: OldAugmentation, base: BaseArgs): layers.Layer {
  const { flip, rotation, height, width, moves, contrast, brightness, fill } = old;
  const fillMode = fill === undefined ? {} : { fillMode: fill as "reflect" };
  if (flip !== undefined) return new RandomFlip({ ...base, mode: flip as "horizontal" });
  if (rotation !== undefined) return new RandomRotation({ ...base, factor: rotation, ...fillMode });
  if (height !== undefined && moves === "zoom") {
    return new RandomZoom({ ...base, heightFactor: height, widthFactor: width, ...fillMode });
  }
  if (height !== undefined && width !== undefined && moves === "translation") {
    return new RandomTranslation({ ...base, heightFactor: height, widthFactor: width, ...fillMode });
  }
  if (contrast !== undefined) return new RandomContrast({ ...base, factor: [1 - contrast[0], contrast[1] - 1] });
  if (brightness !== undefined) {
    // The file does not store the pixel range: differences of at most 1 mean pixels from 0 to 1.
    const range = Math.max(...brightness.map(Math.abs)) <= 1 ? 1 : 255;
    return new RandomBrightness({
      ...base,
      factor: brightness.map((difference) => difference / range),
      valueRange: [0, range],
    });
  }
  throw new OptionError(
    `RandomAugmentation: expected a flip, rotation, zoom, translation, contrast or brightness, got ${shown(old)}.`,
  );
}
