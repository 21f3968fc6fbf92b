import { checkOptions, OptionError, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import type { layers } from "@tensorflow/tfjs-layers";
import { checkedRange, byteRange, isPair } from "../augmentation.ts";
import type { ValueRange } from "../augmentation.ts";
import { fillModes, interpolations } from "../geometry/affine-options.ts";
import type { FillMode, Interpolation, Sampling } from "../geometry/affine-options.ts";

/** Arguments of every tfjs layer. */
export type BaseArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

/** Arguments of every random layer of Keras, besides its own. */
export interface RandomLayerArgs extends BaseArgs {
  /**
   * The seed of the random numbers, which differ from Keras' numbers; by default from the layer's name. A resumed
   * training continues them.
   */
  readonly seed?: number | null | undefined;
  /** The order of the axes; only "channels_last", the default, is supported. */
  readonly dataFormat?: string | null | undefined;
}

const baseNames: OptionNames<RandomLayerArgs> = {
  inputShape: true,
  batchInputShape: true,
  batchSize: true,
  dtype: true,
  name: true,
  trainable: true,
  weights: true,
  inputDType: true,
  seed: true,
  dataFormat: true,
};

/** Keys that tfjs adds to the configurations it reads. */
const addedByTfjs = new Set(["customObjects", "fastWeightInit", "inputDtype", "updatable"]);

/** Throws an OptionError for arguments that are neither `own` nor of every layer, and for a channel order other than channels last. */
export function checkLayerArgs(where: string, args: RandomLayerArgs, own: Readonly<Record<string, true>>): void {
  const given = Object.fromEntries(Object.entries(args).filter(([key]) => !addedByTfjs.has(key)));
  checkOptions<object>(where, given, { ...own, ...baseNames });
  const format = args.dataFormat ?? "channels_last";
  if (format !== "channels_last" && format !== "channelsLast") {
    throw new OptionError(`${where}: expected "channels_last" as dataFormat, got ${shown(format)}.`);
  }
}

/** A number or a pair, as in Keras' `factor` arguments. */
export type KerasFactor = number | readonly number[];

/** The range that one number f stands for in Keras. */
export type Spread =
  /** From -f to f. */
  | "around zero"
  /** From 0 to f. */
  | "from zero"
  /** Both bounds are f. */
  | "both bounds";

/** The range `[from, to]` of a factor, sorted as in Keras. Throws an OptionError if it exceeds `bounds`. */
export function kerasRange(
  where: string,
  factor: unknown,
  spread: Spread,
  [low, high]: readonly [number, number],
): readonly [number, number] {
  if (typeof factor === "number" && Math.abs(factor) <= high) {
    const size = Math.abs(factor);
    if (spread === "around zero" && -size >= low) return [-size, size];
    if (spread === "from zero") return [0, size];
    if (spread === "both bounds") return [size, size];
  }
  if (isPair(factor) && factor.every((value) => value >= low && value <= high)) {
    return factor[0] <= factor[1] ? [factor[0], factor[1]] : [factor[1], factor[0]];
  }
  throw new OptionError(`${where}: expected a number or [from, to] between ${low} and ${high}, got ${shown(factor)}.`);
}

/** Arguments of Keras' layers that move pixels. */
export interface MoveArgs extends RandomLayerArgs {
  /** How the image continues outside; "reflect" by default. */
  readonly fillMode?: FillMode | undefined;
  /** The value of pixels outside if `fillMode` is "constant"; 0 by default. */
  readonly fillValue?: number | undefined;
  /** How a position between four pixels is interpolated; "bilinear" by default. */
  readonly interpolation?: Interpolation | undefined;
}

export const moveNames = { fillMode: true, fillValue: true, interpolation: true } as const;

/** The layer's sampling options, and their form in its configuration. */
export function movesOf(
  where: string,
  { fillMode, fillValue = 0, interpolation }: MoveArgs,
): { sampling: Sampling; config: Record<string, string | number> } {
  const fill = wordOf(where, "fillMode", fillMode ?? "reflect", fillModes);
  const between = wordOf(where, "interpolation", interpolation ?? "bilinear", interpolations);
  return {
    sampling: { fill, fillValue, interpolation: between },
    config: { fillMode: fill, fillValue, interpolation: between },
  };
}

/**
 * Reads a word that Keras writes with underscores. tfjs converts text values in a configuration to camelCase
 * ("horizontal_and_vertical" to "horizontalAndVertical"), so both forms are accepted.
 */
export function wordOf<Word extends string>(where: string, name: string, value: unknown, known: readonly Word[]): Word {
  const word = known.find((each) => each === value || camelCase(each) === value);
  if (word !== undefined) return word;
  throw new OptionError(`${where}: expected ${known.join(", ")} as ${name}, got ${shown(value)}.`);
}

function camelCase(word: string): string {
  return word.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** `valueRange` with its default, sorted as in Keras. */
export function valueRangeOf(where: string, range: readonly number[] | null | undefined): ValueRange {
  if (range == null) return byteRange;
  return checkedRange(where, range.toSorted((a, b) => a - b) as unknown as ValueRange);
}
