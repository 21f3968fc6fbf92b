/**
 * One row of a bilinearly resized RGB image. `upper` and `lower` are rows of pixels of three bytes (a fourth may be read past
 * the last), `down` is how much of the lower one counts; `taps` has for each new pixel the byte offsets of its left and its
 * right pixel (int32) and how much of the right one counts (float32). Writes one byte past the row.
 */
export function bilinearRow(upper: usize, lower: usize, down: f32, taps: usize, width: i32, out: usize): void {
  const below = f32x4.splat(down);
  const half = f32x4.splat(0.5);
  for (let x = 0; x < width; x++) {
    const left = <usize>load<i32>(taps);
    const right = <usize>load<i32>(taps, 4);
    const share = v128.load32_splat(taps, 8);
    const above = blend(pixel(upper + left), pixel(upper + right), share);
    const under = blend(pixel(lower + left), pixel(lower + right), share);
    const words = i32x4.trunc_sat_f32x4_u(f32x4.add(blend(above, under, below), half));
    const shorts = i16x8.narrow_i32x4_u(words, words);
    v128.store_lane<u32>(out, i8x16.narrow_i16x8_u(shorts, shorts), 0);
    taps += 12;
    out += 3;
  }
}

function pixel(at: usize): v128 {
  const bytes = v128.load32_zero(at);
  return f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)));
}

function blend(a: v128, b: v128, share: v128): v128 {
  return f32x4.add(a, f32x4.mul(f32x4.sub(b, a), share));
}
