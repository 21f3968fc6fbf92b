import { checkOptions, OptionError, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";

export const fillModes = ["reflect", "wrap", "nearest", "constant"] as const;

/**
 * How an image continues outside: `reflect` mirrors it (d c b a | a b c d | d c b a), `wrap` repeats it, `nearest`
 * repeats its edge pixels, `constant` is the number `fillValue`.
 */
export type FillMode = (typeof fillModes)[number];

export const interpolations = ["bilinear", "nearest"] as const;

export type Interpolation = (typeof interpolations)[number];

export interface AffineOptions {
  /** How the image continues outside; "reflect" by default. */
  readonly fill?: FillMode | undefined;
  /** The value of pixels outside if `fill` is "constant"; 0 by default. */
  readonly fillValue?: number | undefined;
  /** How a position between four pixels is interpolated; "bilinear" by default. */
  readonly interpolation?: Interpolation | undefined;
}

/** `AffineOptions` with the defaults filled in. */
export interface Sampling {
  readonly fill: FillMode;
  readonly fillValue: number;
  readonly interpolation: Interpolation;
}

export const affineOptionNames: OptionNames<AffineOptions> = { fill: true, fillValue: true, interpolation: true };

/** Fills in the defaults. Throws an OptionError for an unknown mode. */
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
