import { checkOptions, OptionError, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";

export const fillModes = ["reflect", "wrap", "nearest", "constant"] as const;

/**
 * What stands outside an image: `reflect` its mirror image (d c b a | a b c d | d c b a), `wrap` the image again, `nearest` its edge
 * pixels, `constant` the number `fillValue`.
 */
export type FillMode = (typeof fillModes)[number];

export const interpolations = ["bilinear", "nearest"] as const;

export type Interpolation = (typeof interpolations)[number];

export interface AffineOptions {
  /** What stands outside the image; "reflect" unless said. */
  readonly fill?: FillMode | undefined;
  /** The value of pixels outside where `fill` is "constant"; 0 unless said. */
  readonly fillValue?: number | undefined;
  /** How a pixel between four pixels is made; "bilinear" unless said. */
  readonly interpolation?: Interpolation | undefined;
}

/** `AffineOptions` with the defaults filled in. */
export interface Sampling {
  readonly fill: FillMode;
  readonly fillValue: number;
  readonly interpolation: Interpolation;
}

export const affineOptionNames: OptionNames<AffineOptions> = { fill: true, fillValue: true, interpolation: true };

/** The options with their defaults; an OptionError for a mode that is none. */
export function samplingOf(where: string, options: AffineOptions = {}): Sampling {
  checkOptions(where, options, affineOptionNames);
  const { fill = "reflect", fillValue = 0, interpolation = "bilinear" } = options;
  checkWord(where, "fill", fill, fillModes);
  checkWord(where, "interpolation", interpolation, interpolations);
  if (typeof fillValue !== "number" || !Number.isFinite(fillValue)) {
    throw new OptionError(`${where}: expected a number as fillValue, got ${shown(fillValue)}.`);
  }
  return { fill, fillValue, interpolation };
}

/** Throws an OptionError unless `value` is one of `known`. */
export function checkWord(where: string, name: string, value: unknown, known: readonly string[]): void {
  if (known.includes(value as string)) return;
  throw new OptionError(`${where}: expected ${known.join(", ")} as ${name}, got ${shown(value)}.`);
}
