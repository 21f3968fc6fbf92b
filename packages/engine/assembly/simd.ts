/** `a * b + c`, in one instruction where the module was built for relaxed SIMD. */
export function fma(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** The `index`-th 32-bit word of a table. */
export function word(table: usize, index: i32): i32 {
  return load<i32>(table + ((<usize>index) << 2));
}

export function setWord(table: usize, index: i32, value: i32): void {
  store<i32>(table + ((<usize>index) << 2), value);
}
