/** The nearest multiple of 8 that is at most 10 % smaller, as MobileNets and EfficientNets round their channels. */
export function eights(size: number): number {
  const rounded = Math.max(8, Math.floor((size + 4) / 8) * 8);
  return rounded < 0.9 * size ? rounded + 8 : rounded;
}
