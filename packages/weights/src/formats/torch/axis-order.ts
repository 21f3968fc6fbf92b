import { base64Bytes } from "../../bytes/encoding.ts";
import type { NamedTensor, TensorData } from "../../bytes/named-tensor.ts";
import { transposeWasm } from "../../bytes/transpose-wasm.ts";

/**
 * PyTorch's layout of a weight. In both frameworks a convolution or dense kernel is a matrix of outputs and the
 * remaining axes ("rest"). PyTorch has the outputs first, tfjs has them last, and the order of the rest differs.
 * `rows[j]`: row in tfjs order of column j in PyTorch order.
 */
export interface MatrixOrder {
  readonly outputs: number;
  readonly rows: Int32Array;
}

/**
 * `[outputs, rest] -> [rest', outputs]`. Reads a file some outputs at a time, and the next outputs while it transposes
 * these, so that only the result takes memory.
 */
export async function fromTorchOrder(
  tensor: Pick<NamedTensor, "read" | "readPart">,
  { outputs, rows }: MatrixOrder,
): Promise<TensorData> {
  const rest = rows.length;
  const values = new Float32Array(outputs * rest);
  const most = Math.max(1, Math.min(outputs, tileOutputs, Math.floor(partBytes / (4 * rest))));
  const turner = idle.pop()?.deref() ?? newTurner();
  try {
    const part = partsOf(tensor, rest, most, heapOf(turner.memory, tileBytes + 8 * most * rest).subarray(tileBytes));
    let next = part(0, most);
    for (let output = 0; output < outputs; output += most) {
      const count = Math.min(most, outputs - output);
      const from = await next;
      if (output + most < outputs) next = part(output + most, Math.min(most, outputs - output - most));
      turnOutputs(turner, from, words(values), { output, count, outputs, rows });
    }
  } finally {
    idle.push(new WeakRef(turner));
  }
  return values;
}

/** Reads the rows of some outputs into alternating halves of the heap; resolves to their address. */
function partsOf(
  tensor: Pick<NamedTensor, "read" | "readPart">,
  rest: number,
  most: number,
  heap: Uint8Array<ArrayBuffer>,
): (output: number, count: number) => Promise<number> {
  const whole = tensor.readPart === undefined ? floats(tensor.read()) : undefined;
  const halves = [0, 1].map((half) => heap.subarray(half * 4 * rest * most, (half + 1) * 4 * rest * most));
  let turn = 0;
  return async (output, count) => {
    const into = halves[turn++ % 2]!;
    if (whole === undefined) await tensor.readPart!(output * rest, count * rest, into);
    else into.set(bytesOf(whole.subarray(output * rest, (output + count) * rest)));
    return into.byteOffset;
  };
}

/** Transposes `count` outputs, which start at address `from` of the heap, into their columns, one tile at a time. */
function turnOutputs(
  { memory, transpose }: Turner,
  from: number,
  to: Int32Array,
  { output, count, outputs, rows }: MatrixOrder & { output: number; count: number },
): void {
  const rest = rows.length;
  // Make these views once per part: making a view takes as long as copying its line.
  const lines = Array.from({ length: tileRest }, (_, j) => new Int32Array(memory.buffer, 4 * tileStride * j, count));
  for (let first = 0; first < rest; first += tileRest) {
    const width = Math.min(tileRest, rest - first);
    transpose(from + 4 * first, 4 * rest, count, width, 0, 4 * tileStride);
    for (let j = 0; j < width; j++) to.set(lines[j]!, rows[first + j]! * outputs + output);
  }
}

/** An instance of `assembly/transpose.ts`. Its heap begins with a tile. */
interface Turner {
  readonly memory: WebAssembly.Memory & { readonly buffer: ArrayBuffer };
  transpose(from: number, stride: number, rows: number, columns: number, to: number, toStride: number): void;
}

/**
 * Idle instances. Each has its own heap, since several files may be read at once. Weak references let their heaps be
 * freed after loading.
 */
const idle: WeakRef<Turner>[] = [];
let kernel: WebAssembly.Module | undefined;

function newTurner(): Turner {
  kernel ??= new WebAssembly.Module(base64Bytes(transposeWasm));
  return new WebAssembly.Instance(kernel).exports as unknown as Turner;
}

/** The bytes of a heap, grown to at least `bytes`. */
function heapOf(memory: Turner["memory"], bytes: number): Uint8Array<ArrayBuffer> {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65_536));
  return new Uint8Array(memory.buffer);
}

/** `[rest', outputs] -> [outputs, rest]`. */
export function toTorchOrder(data: TensorData, { outputs, rows }: MatrixOrder): TensorData {
  const values = new Float32Array(data.length);
  const [from, to, tile] = [words(floats(data)), words(values), new Int32Array(tileStride * tileRest)];
  const rest = rows.length;
  for (let output = 0; output < outputs; output += tileOutputs) {
    const count = Math.min(tileOutputs, outputs - output);
    for (let first = 0; first < rest; first += tileRest) {
      const width = Math.min(tileRest, rest - first);
      for (let j = 0; j < width; j++) {
        const start = rows[first + j]! * outputs + output;
        tile.set(from.subarray(start, start + count), j * tileStride);
      }
      for (let o = 0; o < count; o++) {
        const start = (output + o) * rest + first;
        for (let j = 0; j < width; j++) to[start + j] = tile[j * tileStride + o]!;
      }
    }
  }
  return values;
}

/** The rows of a kernel: tfjs orders them as `[height, width, inputs]`, PyTorch as `[inputs, height, width]`. */
export function kernelRows(height: number, width: number, inputs: number): Int32Array {
  const rows = new Int32Array(height * width * inputs);
  let at = 0;
  for (let input = 0; input < inputs; input++) {
    for (let pixel = 0; pixel < height * width; pixel++) rows[at++] = pixel * inputs + input;
  }
  return rows;
}

/**
 * A tile of 270 KB, which fits the L2 cache. It is wide in both directions, so that reads in PyTorch's order and
 * writes in tfjs' order are contiguous; without tiles every element would cost a cache line. The stride is a little
 * larger than the width, since lines a power of two apart compete for the same sets of the L1 cache.
 */
const tileOutputs = 512;
const tileRest = 128;
const tileStride = tileOutputs + 16;
const tileBytes = 4 * tileStride * tileRest;

/** Limit on the bytes of one part, unless a single output has more. */
const partBytes = 52 * 2 ** 20;

function floats(data: TensorData): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The same memory as int32. V8 would convert every float32 that it copies to a double and back. */
function words({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}
