import { GEMM_SCRATCH, multiply, NC, product } from "./gemm";
import { setWord } from "./simd";

/** Rows of one unit of work: enough to pay for packing B, few enough to share among threads. */
const ROWS: i32 = 192;

@unmanaged
class MatMul {
  a: usize;
  b: usize;
  c: usize;
  batch: i32;
  rows: i32;
  columns: i32;
  depth: i32;
  turnedA: i32;
  turnedB: i32;
  /** Floats from one matrix of the batch to the next; 0 repeats it. */
  strideA: i32;
  strideB: i32;
  bias: usize;
  activation: i32;
}

export function matMulUnits(args: usize): i32 {
  const t = changetype<MatMul>(args);
  return t.batch * ((t.rows + ROWS - 1) / ROWS) * ((t.columns + NC - 1) / NC);
}

export function matMulScratch(args: usize): i32 {
  const t = changetype<MatMul>(args);
  return GEMM_SCRATCH + 16 + 4 * (t.turnedA ? t.depth : ROWS);
}

/** `[batch, rows, depth] x [batch, depth, columns] -> [batch, rows, columns]`, either side transposed or not. */
export function matMul(args: usize, begin: i32, end: i32, scratch: usize): void {
  const t = changetype<MatMul>(args);
  const blocksM = (t.rows + ROWS - 1) / ROWS;
  const blocksN = (t.columns + NC - 1) / NC;
  for (let unit = begin; unit < end; unit++) {
    const image = unit / (blocksM * blocksN);
    const m = ((unit / blocksN) % blocksM) * ROWS;
    const n = (unit % blocksN) * NC;
    const a = t.a + <usize>image * t.strideA * 4;
    const b = t.b + <usize>image * t.strideB * 4;
    const p = product(scratch);
    p.rows = min(ROWS, t.rows - m);
    p.columns = min(NC, t.columns - n);
    p.depth = t.depth;
    const taps = scratch + GEMM_SCRATCH;
    p.taps = taps;
    p.places = taps + 16;
    setWord(taps, 0, 0);
    if (t.turnedA) {
      p.turned = 1;
      p.firstRow = m;
      p.segment = t.rows;
      for (let k = 0; k < t.depth; k++) setWord(p.places, k, <i32>(a + k * t.rows * 4));
    } else {
      p.segment = t.depth;
      for (let i = 0; i < p.rows; i++) setWord(p.places, i, <i32>(a + (m + i) * t.depth * 4));
    }
    if (t.turnedB) {
      p.ldb = t.depth * 4;
      p.pieces = taps + 4;
      p.piece = t.depth;
      setWord(p.pieces, 0, <i32>(b + n * t.depth * 4));
    } else {
      p.ldb = t.columns * 4;
      p.b = b + n * 4;
    }
    p.ldc = t.columns * 4;
    p.c = t.c + ((<usize>image * t.rows + m) * t.columns + n) * 4;
    p.bias = t.bias != 0 ? t.bias + n * 4 : 0;
    p.activation = t.activation;
    multiply(p);
  }
}
