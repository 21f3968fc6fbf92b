import { fma, word } from "./simd";

/** Rows and columns of the tile that the inner loop keeps in registers: twelve accumulators of the sixteen there are. */
export const MR: i32 = 6;
export const NR: i32 = 8;
/** Depth and columns of one packed block of B: a panel of it stays in the first-level cache, the block in the second. */
export const KC: i32 = 256;
export const NC: i32 = 128;
/** Tiles of a turned A that are packed in one go: their rows are neighbours in memory, which is read by whole cache lines. */
const GROUP: i32 = 8;

export const LINEAR: i32 = 0;
export const RELU: i32 = 1;
export const RELU6: i32 = 2;

/**
 * What `multiply` computes: C[rows, columns] (+)= A B.
 *
 * A is read through a table of places, P[i, e] = place[i] + tap[e / segment] + e % segment, which is a patch matrix where
 * the places are pixels and the taps are kernel rows, and an ordinary matrix where there is one tap. A = P, or P^T.
 */
@unmanaged
export class Product {
  rows: i32;
  columns: i32;
  depth: i32;
  places: usize;
  taps: usize;
  segment: i32;
  /** 1: A = P^T, and its row 0 is the element `firstRow` of the places. */
  turned: i32;
  firstRow: i32;
  /** B[k, n] = b + k ldb + n; with `pieces`, B[k, n] = pieces[k / piece] + n ldb + k % piece. */
  b: usize;
  ldb: i32;
  pieces: usize;
  piece: i32;
  /** C[m, n] = c + m ldc + n; with `targets`, C[m, n] = targets[m] + n. */
  c: usize;
  ldc: i32;
  targets: usize;
  accumulate: i32;
  bias: usize;
  activation: i32;
  /** Scratch: a tile of the product, packed tiles of A, a packed block of B. */
  tile: usize;
  packedA: usize;
  packedB: usize;
}

const TILE_BYTES: i32 = MR * NR * 4;
const A_BYTES: i32 = KC * MR * GROUP * 4;
const B_BYTES: i32 = KC * NC * 4;

/** Bytes of scratch in front of what a kernel puts there itself. */
export const GEMM_SCRATCH: i32 = 128 + TILE_BYTES + A_BYTES + B_BYTES;

/** A cleared `Product` at the head of the scratch. */
export function product(scratch: usize): Product {
  memory.fill(scratch, 0, 128);
  const p = changetype<Product>(scratch);
  p.tile = scratch + 128;
  p.packedA = p.tile + TILE_BYTES;
  p.packedB = p.packedA + A_BYTES;
  return p;
}

/** Computes the product in blocks that fit the caches. */
export function multiply(p: Product): void {
  for (let n = 0; n < p.columns; n += NC) {
    const columns = min(NC, p.columns - n);
    let k = 0;
    do {
      const depth = min(KC, p.depth - k);
      const first = k == 0 && p.accumulate == 0;
      const last = k + depth >= p.depth;
      packB(p, k, depth, n, columns);
      const group = p.turned ? GROUP * MR : MR;
      for (let m = 0; m < p.rows; m += group) {
        const end = min(m + group, p.rows);
        packA(p, m, end, k, depth);
        for (let i = m; i < end; i += MR) {
          const a = p.packedA + (i - m) * depth * 4;
          for (let j = 0; j < columns; j += NR) tile(p, i, n + j, a, p.packedB + j * depth * 4, depth, first, last);
        }
      }
      k += KC;
    } while (k < p.depth);
  }
}

/** One tile of C: straight into its place where it is whole and nothing is left to be done to it. */
function tile(p: Product, m: i32, n: i32, a: usize, b: usize, depth: i32, first: bool, last: bool): void {
  const isWhole = m + MR <= p.rows && n + NR <= p.columns;
  const isPlain = !last || (p.bias == 0 && p.activation == LINEAR);
  if (isWhole && isPlain && p.targets == 0) {
    microTile(a, b, depth, p.c + m * p.ldc + n * 4, p.ldc, !first);
  } else {
    microTile(a, b, depth, p.tile, NR * 4, false);
    storeTile(p, m, n, first, last);
  }
}

/** `[k, 6] x [k, 8] -> [6, 8]`, both packed by depth; the rows of the result lie `step` bytes apart. */
function microTile(a: usize, b: usize, depth: i32, out: usize, step: usize, accumulate: bool): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let c40 = c00;
  let c41 = c00;
  let c50 = c00;
  let c51 = c00;
  if (accumulate) {
    c00 = v128.load(out);
    c01 = v128.load(out, 16);
    c10 = v128.load(out + step);
    c11 = v128.load(out + step, 16);
    c20 = v128.load(out + step * 2);
    c21 = v128.load(out + step * 2, 16);
    c30 = v128.load(out + step * 3);
    c31 = v128.load(out + step * 3, 16);
    c40 = v128.load(out + step * 4);
    c41 = v128.load(out + step * 4, 16);
    c50 = v128.load(out + step * 5);
    c51 = v128.load(out + step * 5, 16);
  }
  for (; depth > 0; depth--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let s = v128.load32_splat(a);
    c00 = fma(s, b0, c00);
    c01 = fma(s, b1, c01);
    s = v128.load32_splat(a, 4);
    c10 = fma(s, b0, c10);
    c11 = fma(s, b1, c11);
    s = v128.load32_splat(a, 8);
    c20 = fma(s, b0, c20);
    c21 = fma(s, b1, c21);
    s = v128.load32_splat(a, 12);
    c30 = fma(s, b0, c30);
    c31 = fma(s, b1, c31);
    s = v128.load32_splat(a, 16);
    c40 = fma(s, b0, c40);
    c41 = fma(s, b1, c41);
    s = v128.load32_splat(a, 20);
    c50 = fma(s, b0, c50);
    c51 = fma(s, b1, c51);
    a += MR * 4;
    b += NR * 4;
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out + step, c10);
  v128.store(out + step, c11, 16);
  v128.store(out + step * 2, c20);
  v128.store(out + step * 2, c21, 16);
  v128.store(out + step * 3, c30);
  v128.store(out + step * 3, c31, 16);
  v128.store(out + step * 4, c40);
  v128.store(out + step * 4, c41, 16);
  v128.store(out + step * 5, c50);
  v128.store(out + step * 5, c51, 16);
}

/** Adds a finished tile to C; bias and activation come with the last block of the depth. */
function storeTile(p: Product, m: i32, n: i32, first: bool, last: bool): void {
  const rows = min(MR, p.rows - m);
  const columns = min(NR, p.columns - n);
  const bias = last && p.bias != 0 ? p.bias + n * 4 : 0;
  const activation = last ? p.activation : LINEAR;
  for (let i = 0; i < rows; i++) {
    const from = p.tile + i * NR * 4;
    const to = (p.targets != 0 ? <usize>word(p.targets, m + i) : p.c + (m + i) * p.ldc) + n * 4;
    let j = 0;
    for (; j + 16 <= columns * 4; j += 16) {
      let value = v128.load(from + j);
      if (!first) value = f32x4.add(value, v128.load(to + j));
      if (bias != 0) value = f32x4.add(value, v128.load(bias + j));
      if (activation != LINEAR) value = f32x4.pmax(value, f32x4.splat(0));
      if (activation == RELU6) value = f32x4.pmin(value, f32x4.splat(6));
      v128.store(to + j, value);
    }
    for (; j < columns * 4; j += 4) {
      let value = load<f32>(from + j);
      if (!first) value += load<f32>(to + j);
      if (bias != 0) value += load<f32>(bias + j);
      if (activation != LINEAR) value = max<f32>(value, 0);
      if (activation == RELU6) value = min<f32>(value, 6);
      store<f32>(to + j, value);
    }
  }
}

/** Packs the tiles of the rows `m` to `end`. */
function packA(p: Product, m: i32, end: i32, k: i32, depth: i32): void {
  if (!p.turned) {
    packRows(p, m, k, depth);
    return;
  }
  let out = p.packedA;
  while (m < end) {
    const tap = (p.firstRow + m) / p.segment;
    const inside = p.firstRow + m - tap * p.segment;
    const tiles = min(ceilTiles(end - m), (p.segment - inside) / MR);
    if (tiles > 0) packNeighbours(p, word(p.taps, tap) + inside * 4, tiles, k, depth, out);
    else packCrossing(p, p.firstRow + m, k, depth, out);
    m += max(1, tiles) * MR;
    out += max(1, tiles) * MR * depth * 4;
  }
}

function ceilTiles(rows: i32): i32 {
  return (rows + MR - 1) / MR;
}

/** Six rows of P, side by side. Rows past the end repeat the last one: nobody reads what they give. */
function packRows(p: Product, m: i32, k: i32, depth: i32): void {
  const last = p.rows - 1;
  const r0 = <usize>word(p.places, m);
  const r1 = <usize>word(p.places, min(m + 1, last));
  const r2 = <usize>word(p.places, min(m + 2, last));
  const r3 = <usize>word(p.places, min(m + 3, last));
  const r4 = <usize>word(p.places, min(m + 4, last));
  const r5 = <usize>word(p.places, min(m + 5, last));
  let out = p.packedA;
  let tap = k / p.segment;
  let inside = k - tap * p.segment;
  while (depth > 0) {
    let length = min(p.segment - inside, depth);
    let at = <usize>(word(p.taps, tap) + inside * 4);
    depth -= length;
    for (; length >= 4; length -= 4) {
      const v0 = v128.load(r0 + at);
      const v1 = v128.load(r1 + at);
      const v2 = v128.load(r2 + at);
      const v3 = v128.load(r3 + at);
      const v4 = v128.load(r4 + at);
      const v5 = v128.load(r5 + at);
      const a = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5);
      const b = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7);
      const c = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5);
      const d = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
      const e = v128.shuffle<f32>(v4, v5, 0, 4, 1, 5);
      const f = v128.shuffle<f32>(v4, v5, 2, 6, 3, 7);
      v128.store(out, v128.shuffle<i64>(a, c, 0, 2));
      v128.store_lane<i64>(out, e, 0, 16);
      v128.store(out, v128.shuffle<i64>(a, c, 1, 3), 24);
      v128.store_lane<i64>(out, e, 1, 40);
      v128.store(out, v128.shuffle<i64>(b, d, 0, 2), 48);
      v128.store_lane<i64>(out, f, 0, 64);
      v128.store(out, v128.shuffle<i64>(b, d, 1, 3), 72);
      v128.store_lane<i64>(out, f, 1, 88);
      at += 16;
      out += 96;
    }
    for (; length > 0; length--) {
      store<f32>(out, load<f32>(r0 + at));
      store<f32>(out, load<f32>(r1 + at), 4);
      store<f32>(out, load<f32>(r2 + at), 8);
      store<f32>(out, load<f32>(r3 + at), 12);
      store<f32>(out, load<f32>(r4 + at), 16);
      store<f32>(out, load<f32>(r5 + at), 20);
      at += 4;
      out += 24;
    }
    tap++;
    inside = 0;
  }
}

/** Tiles of six columns of P that lie side by side from `at` on. */
function packNeighbours(p: Product, at: usize, tiles: i32, k: i32, depth: i32, out: usize): void {
  const step = depth * MR * 4;
  for (let i = k; i < k + depth; i++) {
    let from = <usize>word(p.places, i) + at;
    let to = out;
    for (let tile = 0; tile < tiles; tile++) {
      v128.store(to, v128.load(from));
      v128.store64_lane(to, v128.load64_zero(from, 16), 0, 16);
      from += MR * 4;
      to += step;
    }
    out += MR * 4;
  }
}

/** Six columns of P that cross from one tap to the next, or past the last column, which is repeated. */
function packCrossing(p: Product, row: i32, k: i32, depth: i32, out: usize): void {
  let place = p.places + k * 4;
  const end = place + depth * 4;
  const last = p.firstRow + p.rows - 1;
  const o0 = offset(p, row);
  const o1 = offset(p, min(row + 1, last));
  const o2 = offset(p, min(row + 2, last));
  const o3 = offset(p, min(row + 3, last));
  const o4 = offset(p, min(row + 4, last));
  const o5 = offset(p, min(row + 5, last));
  for (; place < end; place += 4) {
    const from = <usize>load<i32>(place);
    store<f32>(out, load<f32>(from + o0));
    store<f32>(out, load<f32>(from + o1), 4);
    store<f32>(out, load<f32>(from + o2), 8);
    store<f32>(out, load<f32>(from + o3), 12);
    store<f32>(out, load<f32>(from + o4), 16);
    store<f32>(out, load<f32>(from + o5), 20);
    out += 24;
  }
}

function offset(p: Product, element: i32): usize {
  const tap = element / p.segment;
  return <usize>(word(p.taps, tap) + (element - tap * p.segment) * 4);
}

function packB(p: Product, k: i32, depth: i32, n: i32, columns: i32): void {
  if (p.pieces != 0) {
    for (let j = 0; j < columns; j += NR) packPieces(p, k, depth, n + j, p.packedB + j * depth * 4);
    return;
  }
  const stride = depth * NR * 4;
  for (let i = 0; i < depth; i++) {
    let from = p.b + (k + i) * p.ldb + n * 4;
    let to = p.packedB + i * NR * 4;
    let left = columns;
    for (; left >= NR; left -= NR) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += NR * 4;
      to += stride;
    }
    for (; left > 0; left--) {
      store<f32>(to, load<f32>(from));
      from += 4;
      to += 4;
    }
  }
}

/** Eight columns of a B that lies turned. Columns past the end repeat the last one. */
function packPieces(p: Product, k: i32, depth: i32, n: i32, out: usize): void {
  const last = p.columns - 1;
  const q0 = <usize>(n * p.ldb);
  const q1 = <usize>(min(n + 1, last) * p.ldb);
  const q2 = <usize>(min(n + 2, last) * p.ldb);
  const q3 = <usize>(min(n + 3, last) * p.ldb);
  const q4 = <usize>(min(n + 4, last) * p.ldb);
  const q5 = <usize>(min(n + 5, last) * p.ldb);
  const q6 = <usize>(min(n + 6, last) * p.ldb);
  const q7 = <usize>(min(n + 7, last) * p.ldb);
  let index = k / p.piece;
  let inside = k - index * p.piece;
  while (depth > 0) {
    let length = min(p.piece - inside, depth);
    let at = <usize>(word(p.pieces, index) + inside * 4);
    depth -= length;
    for (; length >= 4; length -= 4) {
      pack4(at + q0, at + q1, at + q2, at + q3, out);
      pack4(at + q4, at + q5, at + q6, at + q7, out + 16);
      at += 16;
      out += 128;
    }
    for (; length > 0; length--) {
      store<f32>(out, load<f32>(at + q0));
      store<f32>(out, load<f32>(at + q1), 4);
      store<f32>(out, load<f32>(at + q2), 8);
      store<f32>(out, load<f32>(at + q3), 12);
      store<f32>(out, load<f32>(at + q4), 16);
      store<f32>(out, load<f32>(at + q5), 20);
      store<f32>(out, load<f32>(at + q6), 24);
      store<f32>(out, load<f32>(at + q7), 28);
      at += 4;
      out += 32;
    }
    index++;
    inside = 0;
  }
}

/** A 4 x 4 transpose, its rows 32 bytes apart. */
function pack4(q0: usize, q1: usize, q2: usize, q3: usize, out: usize): void {
  const v0 = v128.load(q0);
  const v1 = v128.load(q1);
  const v2 = v128.load(q2);
  const v3 = v128.load(q3);
  const a = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5);
  const b = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7);
  const c = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5);
  const d = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(a, c, 0, 2));
  v128.store(out, v128.shuffle<i64>(a, c, 1, 3), 32);
  v128.store(out, v128.shuffle<i64>(b, d, 0, 2), 64);
  v128.store(out, v128.shuffle<i64>(b, d, 1, 3), 96);
}
