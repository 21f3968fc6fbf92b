/** Slices of a long reduction that are summed apart: threads share them, and small sums lose less to rounding. */
const SLICES: i32 = 16;

/** `[outer, length, inner] -> [outer, inner]`: `out = scale * (the sum over the middle)`. */
@unmanaged
class Sum {
  x: usize;
  out: usize;
  /** Room for the slices' sums, `outer * slices * inner` floats. */
  partials: usize;
  outer: i32;
  length: i32;
  inner: i32;
  scale: f32;
}

function slices(t: Sum): i32 {
  return t.outer >= SLICES ? 1 : min(SLICES, max(1, t.length / 16));
}

export function sumPartials(args: usize): i32 {
  const t = changetype<Sum>(args);
  return t.outer * slices(t) * t.inner * 4;
}

export function sumUnits(args: usize): i32 {
  const t = changetype<Sum>(args);
  return t.outer * slices(t);
}

/** partials = the slices' sums. */
export function sum(args: usize, begin: i32, end: i32): void {
  const t = changetype<Sum>(args);
  const count = slices(t);
  const slice = (t.length + count - 1) / count;
  for (let unit = begin; unit < end; unit++) {
    const first = min((unit % count) * slice, t.length);
    const rows = min(first + slice, t.length) - first;
    const from = t.x + (<usize>(unit / count) * t.length + first) * t.inner * 4;
    const out = t.partials + <usize>unit * t.inner * 4;
    if (t.inner == 1) store<f32>(out, sumRun(from, rows));
    else sumRows(from, rows, t.inner, out);
  }
}

function sumRun(from: usize, length: i32): f32 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (; length >= 16; length -= 16) {
    s0 = f32x4.add(s0, v128.load(from));
    s1 = f32x4.add(s1, v128.load(from, 16));
    s2 = f32x4.add(s2, v128.load(from, 32));
    s3 = f32x4.add(s3, v128.load(from, 48));
    from += 64;
  }
  const s = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  let total: f32 =
    f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
  for (; length > 0; length--) {
    total += load<f32>(from);
    from += 4;
  }
  return total;
}

function sumRows(from: usize, rows: i32, columns: i32, out: usize): void {
  const step = <usize>columns * 4;
  memory.fill(out, 0, step);
  for (; rows >= 4; rows -= 4) {
    let c: usize = 0;
    for (; c + 16 <= step; c += 16) {
      const at = from + c;
      const low = f32x4.add(v128.load(at), v128.load(at + step));
      const high = f32x4.add(v128.load(at + step * 2), v128.load(at + step * 3));
      v128.store(out + c, f32x4.add(v128.load(out + c), f32x4.add(low, high)));
    }
    for (; c < step; c += 4) {
      const at = from + c;
      const low = load<f32>(at) + load<f32>(at + step);
      const high = load<f32>(at + step * 2) + load<f32>(at + step * 3);
      store<f32>(out + c, load<f32>(out + c) + (low + high));
    }
    from += step * 4;
  }
  for (; rows > 0; rows--) {
    for (let c: usize = 0; c < step; c += 4) store<f32>(out + c, load<f32>(out + c) + load<f32>(from + c));
    from += step;
  }
}

/** out = the scaled sum of the slices, in their order. */
export function sumSlices(args: usize): void {
  const t = changetype<Sum>(args);
  const count = slices(t);
  for (let outer = 0; outer < t.outer; outer++) {
    for (let i = 0; i < t.inner; i++) {
      let total: f32 = 0;
      let from = t.partials + (<usize>outer * count * t.inner + i) * 4;
      for (let slice = 0; slice < count; slice++) {
        total += load<f32>(from);
        from += t.inner * 4;
      }
      store<f32>(t.out + (<usize>outer * t.inner + i) * 4, total * t.scale);
    }
  }
}
