/** One change of an image, with the strength that torchvision's `_apply_op` takes. */
export interface Change {
  readonly op: PillowOp;
  /**
   * Shear: pixels per pixel. Translation: pixels. Rotation: degrees, counterclockwise. Brightness, color, contrast,
   * sharpness: what is added to the factor 1. Posterize: bits that stay. Solarize: threshold. 0 for all other ops.
   */
  readonly magnitude: number;
}

/** The ops, by the names that `randAugmentOps` has, and invert. */
export type PillowOp =
  | "identity"
  | "shear-x"
  | "shear-y"
  | "translate-x"
  | "translate-y"
  | "rotate"
  | "brightness"
  | "color"
  | "contrast"
  | "sharpness"
  | "posterize"
  | "solarize"
  | "auto-contrast"
  | "equalize"
  | "invert";

export const noChange: Change = { op: "identity", magnitude: 0 };

/** `count` numbers from `first` to `last`, as torch.linspace rounds them to float32. */
export function linspace(first: number, last: number, count: number): number[] {
  const step = Math.fround(Math.fround(last - first) / (count - 1));
  return Array.from({ length: count }, (_, i) =>
    i < count / 2
      ? Math.fround(Math.fround(first) + Math.fround(step * i))
      : Math.fround(Math.fround(last) - Math.fround(step * (count - 1 - i))),
  );
}

/** Rounds a number from 0; a half to the even number, as torch.round. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value - Math.trunc(value)) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
