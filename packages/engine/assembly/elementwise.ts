/** Elements of one unit of work: the operands of a unit fit the second-level cache. */
const BLOCK: i32 = 32_768;

/** `out[i] = a[i % periodA] (operation) b[i % periodB]`: a period of 1 is a scalar, of `size` a whole tensor, else a row. */
@unmanaged
class Binary {
  a: usize;
  b: usize;
  out: usize;
  size: i32;
  periodA: i32;
  periodB: i32;
  /** 0 add, 1 subtract, 2 multiply, 3 divide, 4 squared difference, 5 maximum, 6 minimum. */
  operation: i32;
}

export function binaryUnits(args: usize): i32 {
  return (changetype<Binary>(args).size + BLOCK - 1) / BLOCK;
}

export function binary(args: usize, begin: i32, end: i32): void {
  const t = changetype<Binary>(args);
  let i = begin * BLOCK;
  const last = min(end * BLOCK, t.size);
  while (i < last) {
    const atA = t.periodA == t.size ? i : i % t.periodA;
    const atB = t.periodB == t.size ? i : i % t.periodB;
    let run = last - i;
    if (t.periodA > 1) run = min(run, t.periodA - atA);
    if (t.periodB > 1) run = min(run, t.periodB - atB);
    const a = t.a + ((<usize>atA) << 2);
    const b = t.b + ((<usize>atB) << 2);
    const out = t.out + ((<usize>i) << 2);
    if (t.operation == 0) runAdd(a, b, out, run, t.periodA > 1, t.periodB > 1);
    else if (t.operation == 1) runSubtract(a, b, out, run, t.periodA > 1, t.periodB > 1);
    else if (t.operation == 2) runMultiply(a, b, out, run, t.periodA > 1, t.periodB > 1);
    else if (t.operation == 3) runDivide(a, b, out, run, t.periodA > 1, t.periodB > 1);
    else if (t.operation == 4) runSquaredDifference(a, b, out, run, t.periodA > 1, t.periodB > 1);
    else if (t.operation == 5) runMaximum(a, b, out, run, t.periodA > 1, t.periodB > 1);
    else runMinimum(a, b, out, run, t.periodA > 1, t.periodB > 1);
    i += run;
  }
}

function runAdd(a: usize, b: usize, out: usize, run: i32, moveA: bool, moveB: bool): void {
  const stepA = moveA ? 4 : 0;
  const stepB = moveB ? 4 : 0;
  for (; run >= 4; run -= 4) {
    const x = moveA ? v128.load(a) : v128.load32_splat(a);
    const y = moveB ? v128.load(b) : v128.load32_splat(b);
    v128.store(out, f32x4.add(x, y));
    a += stepA * 4;
    b += stepB * 4;
    out += 16;
  }
  for (; run > 0; run--) {
    store<f32>(out, load<f32>(a) + load<f32>(b));
    a += stepA;
    b += stepB;
    out += 4;
  }
}

function runSubtract(a: usize, b: usize, out: usize, run: i32, moveA: bool, moveB: bool): void {
  const stepA = moveA ? 4 : 0;
  const stepB = moveB ? 4 : 0;
  for (; run >= 4; run -= 4) {
    const x = moveA ? v128.load(a) : v128.load32_splat(a);
    const y = moveB ? v128.load(b) : v128.load32_splat(b);
    v128.store(out, f32x4.sub(x, y));
    a += stepA * 4;
    b += stepB * 4;
    out += 16;
  }
  for (; run > 0; run--) {
    store<f32>(out, load<f32>(a) - load<f32>(b));
    a += stepA;
    b += stepB;
    out += 4;
  }
}

function runMultiply(a: usize, b: usize, out: usize, run: i32, moveA: bool, moveB: bool): void {
  const stepA = moveA ? 4 : 0;
  const stepB = moveB ? 4 : 0;
  for (; run >= 4; run -= 4) {
    const x = moveA ? v128.load(a) : v128.load32_splat(a);
    const y = moveB ? v128.load(b) : v128.load32_splat(b);
    v128.store(out, f32x4.mul(x, y));
    a += stepA * 4;
    b += stepB * 4;
    out += 16;
  }
  for (; run > 0; run--) {
    store<f32>(out, load<f32>(a) * load<f32>(b));
    a += stepA;
    b += stepB;
    out += 4;
  }
}

function runDivide(a: usize, b: usize, out: usize, run: i32, moveA: bool, moveB: bool): void {
  const stepA = moveA ? 4 : 0;
  const stepB = moveB ? 4 : 0;
  for (; run >= 4; run -= 4) {
    const x = moveA ? v128.load(a) : v128.load32_splat(a);
    const y = moveB ? v128.load(b) : v128.load32_splat(b);
    v128.store(out, f32x4.div(x, y));
    a += stepA * 4;
    b += stepB * 4;
    out += 16;
  }
  for (; run > 0; run--) {
    store<f32>(out, load<f32>(a) / load<f32>(b));
    a += stepA;
    b += stepB;
    out += 4;
  }
}

function runSquaredDifference(a: usize, b: usize, out: usize, run: i32, moveA: bool, moveB: bool): void {
  const stepA = moveA ? 4 : 0;
  const stepB = moveB ? 4 : 0;
  for (; run >= 4; run -= 4) {
    const x = moveA ? v128.load(a) : v128.load32_splat(a);
    const y = moveB ? v128.load(b) : v128.load32_splat(b);
    const d = f32x4.sub(x, y);
    v128.store(out, f32x4.mul(d, d));
    a += stepA * 4;
    b += stepB * 4;
    out += 16;
  }
  for (; run > 0; run--) {
    const d = load<f32>(a) - load<f32>(b);
    store<f32>(out, d * d);
    a += stepA;
    b += stepB;
    out += 4;
  }
}

/** NaN where one of both is. */
function runMaximum(a: usize, b: usize, out: usize, run: i32, moveA: bool, moveB: bool): void {
  const stepA = moveA ? 4 : 0;
  const stepB = moveB ? 4 : 0;
  for (; run >= 4; run -= 4) {
    const x = moveA ? v128.load(a) : v128.load32_splat(a);
    const y = moveB ? v128.load(b) : v128.load32_splat(b);
    v128.store(out, f32x4.max(x, y));
    a += stepA * 4;
    b += stepB * 4;
    out += 16;
  }
  for (; run > 0; run--) {
    store<f32>(out, max<f32>(load<f32>(a), load<f32>(b)));
    a += stepA;
    b += stepB;
    out += 4;
  }
}

/** NaN where one of both is. */
function runMinimum(a: usize, b: usize, out: usize, run: i32, moveA: bool, moveB: bool): void {
  const stepA = moveA ? 4 : 0;
  const stepB = moveB ? 4 : 0;
  for (; run >= 4; run -= 4) {
    const x = moveA ? v128.load(a) : v128.load32_splat(a);
    const y = moveB ? v128.load(b) : v128.load32_splat(b);
    v128.store(out, f32x4.min(x, y));
    a += stepA * 4;
    b += stepB * 4;
    out += 16;
  }
  for (; run > 0; run--) {
    store<f32>(out, min<f32>(load<f32>(a), load<f32>(b)));
    a += stepA;
    b += stepB;
    out += 4;
  }
}

/** `out[i] = operation(x[i])` */
@unmanaged
class Unary {
  x: usize;
  out: usize;
  size: i32;
  /** 0 relu, 1 step (1 above zero, else `alpha`), 2 square, 3 square root, 4 relu6, 5 negation, 6 no less than `alpha`, no more than `beta`. */
  operation: i32;
  alpha: f32;
  beta: f32;
}

export function unaryUnits(args: usize): i32 {
  return (changetype<Unary>(args).size + BLOCK - 1) / BLOCK;
}

export function unary(args: usize, begin: i32, end: i32): void {
  const t = changetype<Unary>(args);
  const first = begin * BLOCK;
  let left = min(end * BLOCK, t.size) - first;
  let x = t.x + ((<usize>first) << 2);
  let out = t.out + ((<usize>first) << 2);
  for (; left >= 4; left -= 4) {
    v128.store(out, apply(t, v128.load(x)));
    x += 16;
    out += 16;
  }
  for (; left > 0; left--) {
    store<f32>(out, f32x4.extract_lane(apply(t, v128.load32_splat(x)), 0));
    x += 4;
    out += 4;
  }
}

function apply(t: Unary, x: v128): v128 {
  const zero = f32x4.splat(0);
  switch (t.operation) {
    case 0:
      return f32x4.pmax(x, zero);
    case 1:
      const step = v128.bitselect(f32x4.splat(1), f32x4.splat(t.alpha), f32x4.gt(x, zero));
      return v128.bitselect(step, x, f32x4.eq(x, x));
    case 2:
      return f32x4.mul(x, x);
    case 3:
      return f32x4.sqrt(x);
    case 4:
      return f32x4.pmin(f32x4.pmax(x, zero), f32x4.splat(6));
    case 5:
      return f32x4.neg(x);
    default:
      return f32x4.pmin(f32x4.pmax(x, f32x4.splat(t.alpha)), f32x4.splat(t.beta));
  }
}

/** `[rows, columns] -> [rows, columns]`: `out = x * factor + term`, factor and term one a column. */
@unmanaged
class Affine {
  x: usize;
  factor: usize;
  term: usize;
  out: usize;
  rows: i32;
  columns: i32;
}

function affineRows(t: Affine): i32 {
  return max(1, BLOCK / t.columns);
}

export function affineUnits(args: usize): i32 {
  const t = changetype<Affine>(args);
  return (t.rows + affineRows(t) - 1) / affineRows(t);
}

export function affine(args: usize, begin: i32, end: i32): void {
  const t = changetype<Affine>(args);
  const first = begin * affineRows(t);
  const last = min(end * affineRows(t), t.rows);
  let x = t.x + <usize>first * t.columns * 4;
  let out = t.out + <usize>first * t.columns * 4;
  for (let row = first; row < last; row++) {
    let c = 0;
    for (; c + 4 <= t.columns; c += 4) {
      const scaled = f32x4.mul(v128.load(x + c * 4), v128.load(t.factor + c * 4));
      v128.store(out + c * 4, f32x4.add(scaled, v128.load(t.term + c * 4)));
    }
    for (; c < t.columns; c++) {
      const at = c * 4;
      store<f32>(out + at, load<f32>(x + at) * load<f32>(t.factor + at) + load<f32>(t.term + at));
    }
    x += t.columns * 4;
    out += t.columns * 4;
  }
}

/** Copies `rows` runs of `bytes`, that lie apart by `fromStep` and go apart by `toStep`. */
@unmanaged
class Copy {
  from: usize;
  to: usize;
  rows: i32;
  bytes: i32;
  fromStep: i32;
  toStep: i32;
}

function copyRows(t: Copy): i32 {
  return max(1, (BLOCK * 4) / max(1, t.bytes));
}

export function copyUnits(args: usize): i32 {
  const t = changetype<Copy>(args);
  return (t.rows + copyRows(t) - 1) / copyRows(t);
}

export function copy(args: usize, begin: i32, end: i32): void {
  const t = changetype<Copy>(args);
  const first = begin * copyRows(t);
  const last = min(end * copyRows(t), t.rows);
  let from = t.from + <usize>first * t.fromStep;
  let to = t.to + <usize>first * t.toStep;
  for (let row = first; row < last; row++) {
    if (t.bytes & 15) memory.copy(to, from, t.bytes);
    else for (let i = 0; i < t.bytes; i += 16) v128.store(to + i, v128.load(from + i));
    from += t.fromStep;
    to += t.toStep;
  }
}
