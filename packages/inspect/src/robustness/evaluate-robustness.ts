import { checkWhole } from "@convkit/core/internal";
import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import { corrupt, corruptionNames } from "./corruptions.ts";
import type { CorruptionName, Photo } from "./corruptions.ts";

/** Changes the bytes of one image `[h, w, c]`; `index` is the image's place in its data set. */
export type ImageChange = (
  pixels: Uint8Array,
  shape: readonly [height: number, width: number, channels: number],
  index: number,
) => Uint8Array | Promise<Uint8Array>;

export interface RobustnessOptions {
  /** Kinds of corruption; all of `corruptionNames` by default, `frost` only with `photos`. */
  readonly kinds?: readonly string[] | undefined;
  /** From 1 to 5; all by default. */
  readonly severities?: readonly number[] | undefined;
  /** Seed of the noise, together with the image's index; 0 by default. */
  readonly seed?: number | undefined;
  /** Photographs for `frost`, each at least as large as the images. None by default. */
  readonly photos?: readonly Photo[] | undefined;
  /** Kinds besides those of `corruptionNames`: a change for each severity; none by default. */
  readonly others?: Readonly<Record<string, (severity: number) => ImageChange>> | undefined;
  /** Called after each evaluation; without it the results come at the end only. */
  readonly onResult?: ((result: CorruptedAccuracy) => void) | undefined;
}

const names: OptionNames<RobustnessOptions> = {
  kinds: true,
  severities: true,
  seed: true,
  photos: true,
  others: true,
  onResult: true,
};

/** The accuracy on images with one corruption. */
export interface CorruptedAccuracy {
  readonly kind: string;
  readonly severity: number;
  readonly accuracy: number;
}

export interface Robustness {
  /** The accuracy on the images as they are. */
  readonly clean: number;
  readonly results: readonly CorruptedAccuracy[];
  /** Mean accuracy of each kind over the severities. */
  readonly byKind: Readonly<Record<string, number>>;
  /** Mean accuracy over all kinds and severities. */
  readonly mean: number;
}

/**
 * How much accuracy corruptions cost, as ImageNet-C measures it. `accuracyOf` evaluates the network on the test images, each of them
 * changed if it gets a change. Hendrycks and Dietterich 2019, https://arxiv.org/abs/1903.12261
 *
 * Throws an `OptionError` for unknown kinds and severities, and for `frost` without photographs.
 */
export async function evaluateRobustness(
  accuracyOf: (change: ImageChange | undefined) => Promise<number>,
  options?: RobustnessOptions,
): Promise<Robustness> {
  const where = "evaluateRobustness";
  checkOptions(where, options, names);
  const { severities = [1, 2, 3, 4, 5], seed = 0, photos = [], others = {}, onResult } = options ?? {};
  const known: readonly string[] = [...corruptionNames, ...Object.keys(others)];
  const kinds = options?.kinds ?? known.filter((kind) => kind !== "frost" || photos.length > 0);
  const unknown = kinds.find((kind) => !known.includes(kind));
  if (unknown !== undefined || kinds.length === 0)
    throw new OptionError(`${where}: expected kinds among ${known.join(", ")}, got ${shown(unknown ?? kinds)}.`);
  if (severities.length === 0 || severities.some((each) => !Number.isInteger(each) || each < 1 || each > 5))
    throw new OptionError(`${where}: expected severities from 1 to 5, got ${shown(severities)}.`);
  checkWhole(where, "seed", seed, 0);
  if (kinds.includes("frost") && !Object.hasOwn(others, "frost") && photos.length === 0)
    throw new OptionError(`${where}: expected photos for frost, got none.`);
  const clean = await accuracyOf(undefined);
  const results: CorruptedAccuracy[] = [];
  for (const kind of kinds)
    for (const severity of severities) {
      const other = Object.hasOwn(others, kind) ? others[kind] : undefined;
      const own: ImageChange = (pixels, shape, index) =>
        corrupt(pixels, shape, { kind: kind as CorruptionName, severity, seed: seed + index, photos });
      const result = { kind, severity, accuracy: await accuracyOf(other?.(severity) ?? own) };
      results.push(result);
      onResult?.(result);
    }
  const meanOf = (some: readonly CorruptedAccuracy[]): number =>
    some.reduce((sum, { accuracy }) => sum + accuracy, 0) / some.length;
  const byKind = kinds.map((kind) => [kind, meanOf(results.filter((each) => each.kind === kind))] as const);
  return { clean, results, byKind: Object.fromEntries(byKind), mean: meanOf(results) };
}
