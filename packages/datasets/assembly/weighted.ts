// Rows and columns of RGB pixels as weighted sums of others. Rows are read up to seven bytes past their end, and one byte past a
// new row is written.

// Added to a whole number below 2^22 it leaves that in the lowest byte.
const magic: f32 = 8388608.0;

/** Adds `weight` times a row of `bytes` to the floats at `line`, or, as the `first`, puts it there. */
export function addRow(row: usize, weight: f32, bytes: i32, line: usize, first: bool): void {
  const share = f32x4.splat(weight);
  for (let i = 0; i < bytes; i += 8) {
    const pixels = v128.load8x8_u(row + i);
    const to = line + (i << 2);
    let low = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(pixels)), share);
    let high = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(pixels)), share);
    if (!first) {
      low = f32x4.add(low, v128.load(to));
      high = f32x4.add(high, v128.load(to, 16));
    }
    v128.store(to, low);
    v128.store(to, high, 16);
  }
}

/**
 * A new row from the floats at `line`: each pixel is the sum of `count` of them. At `taps` is for each where the first begins
 * (int32, bytes), then their weights (float32).
 */
export function across(line: usize, taps: usize, count: i32, width: i32, out: usize): void {
  const least = f32x4.splat(0);
  const most = f32x4.splat(255);
  for (let x = 0; x < width; x++) {
    let at = line + <usize>load<i32>(taps);
    taps += 4;
    let sum = f32x4.splat(0.5);
    for (let tap = 0; tap < count; tap++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(at), v128.load32_splat(taps)));
      at += 12;
      taps += 4;
    }
    const whole = f32x4.add(f32x4.floor(f32x4.max(f32x4.min(sum, most), least)), f32x4.splat(magic));
    v128.store_lane<u32>(out, i8x16.shuffle(whole, whole, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0);
    out += 3;
  }
}
