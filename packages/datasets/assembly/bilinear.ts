// Bilinear resizing of an RGB image to `height` rows of `width` pixels at `out`, three bytes each. `rows` has for each new row where
// the two rows that it lies between begin (int32 each), and how much of the lower one counts (float32); `taps` has for each new
// pixel where its left pixel begins in such a row (int32, a multiple of 3) and how much of the one to the right of that counts
// (float32). Rows are read up to eight bytes past their end, and one byte past the last new row is written.

// Added to a whole number below 2^22 it leaves that in the lowest byte.
const magic: f32 = 8388608.0;

/** Where old rows are not much longer than new ones, `bytes` of them are `dense`: all are brought to floats at `line`. */
export function resize(
  rows: usize,
  height: i32,
  taps: usize,
  width: i32,
  out: usize,
  bytes: i32,
  line: usize,
  dense: bool,
): void {
  for (let y = 0; y < height; y++) {
    const upper = <usize>load<i32>(rows);
    const lower = <usize>load<i32>(rows, 4);
    const down = load<f32>(rows, 8);
    if (dense) denseRow(upper, lower, down, taps, width, out, bytes, line);
    else sparseRow(upper, lower, down, taps, width, out);
    rows += 12;
    out += 3 * width;
  }
}

/** Between the rows first, for all their `bytes`, into floats at `line`; then across. */
function denseRow(
  upper: usize,
  lower: usize,
  down: f32,
  taps: usize,
  width: i32,
  out: usize,
  bytes: i32,
  line: usize,
): void {
  const below = f32x4.splat(down);
  for (let i = 0; i < bytes; i += 8) {
    const from = v128.load8x8_u(upper + i);
    const change = i16x8.sub(v128.load8x8_u(lower + i), from);
    const low = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(change)), below);
    const high = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(change)), below);
    v128.store(line + (i << 2), f32x4.add(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(from)), low));
    v128.store(line + (i << 2), f32x4.add(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(from)), high), 16);
  }
  for (let x = 0; x < width; x++) {
    const at = line + ((<usize>load<i32>(taps)) << 2);
    const left = v128.load(at);
    const change = f32x4.mul(f32x4.sub(v128.load(at, 12), left), v128.load32_splat(taps, 4));
    store3(out, f32x4.add(left, change));
    taps += 8;
    out += 3;
  }
}

/** Only where the new pixels are. */
function sparseRow(upper: usize, lower: usize, down: f32, taps: usize, width: i32, out: usize): void {
  const below = f32x4.splat(down);
  for (let x = 0; x < width; x++) {
    const left = <usize>load<i32>(taps);
    const share = v128.load32_splat(taps, 4);
    const above = across(v128.load64_zero(upper + left), share);
    const under = across(v128.load64_zero(lower + left), share);
    store3(out, f32x4.add(above, f32x4.mul(f32x4.sub(under, above), below)));
    taps += 8;
    out += 3;
  }
}

function across(pixels: v128, share: v128): v128 {
  const six = i16x8.extend_low_i8x16_u(pixels);
  const right = i16x8.shuffle(six, six, 3, 4, 5, 6, 7, 0, 1, 2);
  const change = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.sub(right, six)));
  return f32x4.add(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(six)), f32x4.mul(change, share));
}

function store3(out: usize, pixel: v128): void {
  const whole = f32x4.add(f32x4.floor(f32x4.add(pixel, f32x4.splat(0.5))), f32x4.splat(magic));
  v128.store_lane<u32>(out, i8x16.shuffle(whole, whole, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0);
}
