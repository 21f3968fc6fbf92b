/** A module with one fused multiply-add: valid if WebAssembly has relaxed SIMD. */
const fusedMultiplyAdd = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2,
  253, 133, 2, 11,
]);

/** Whether WebAssembly has relaxed SIMD, which makes matrix products 1.4 times as fast. */
export function hasFusedMultiplyAdd(): boolean {
  return WebAssembly.validate(fusedMultiplyAdd);
}
