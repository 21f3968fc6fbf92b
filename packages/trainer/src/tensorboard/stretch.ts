/** Floats as bytes: the lowest value becomes 0, the highest 255. */
export function stretchToBytes(values: Float32Array): Uint8Array {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) [min, max] = [Math.min(min, value), Math.max(max, value)];
  const range = max - min || 1;
  return Uint8Array.from(values, (value) => Math.round(((value - min) / range) * 255));
}
