import type { NamedTensor, TensorData } from "../named-tensor.ts";

/**
 * How a weight lies in PyTorch. Convolutions and dense layers are, in both worlds, a matrix of outputs by the rest; PyTorch has the
 * outputs first, tfjs last, and the rest is ordered differently. `rows[j]` is where tfjs has the element `j` of PyTorch's rest.
 */
export interface MatrixOrder {
  readonly outputs: number;
  readonly rows: Int32Array;
}

/**
 * `[outputs, rest] -> [rest', outputs]`; a file is read some outputs at a time, the next ones while these are turned, so that only the
 * result takes memory.
 */
export async function fromTorchOrder(
  tensor: Pick<NamedTensor, "read" | "readPart">,
  order: MatrixOrder,
): Promise<TensorData> {
  const { outputs, rows } = order;
  const rest = rows.length;
  const values = new Float32Array(outputs * rest);
  const [to, tile] = [words(values), new Int32Array(tileOutputs * tileRest)];
  const countFrom = (output: number): number => Math.min(tileOutputs, outputs - output);
  const part = partsOf(tensor, rest, countFrom(0), outputs);
  let next = part(0, countFrom(0));
  for (let output = 0; output < outputs; output += tileOutputs) {
    const from = words(await next);
    const following = output + tileOutputs;
    if (following < outputs) next = part(following, countFrom(following));
    turnOutputs(from, to, tile, { output, count: countFrom(output), order });
  }
  return values;
}

/** Gives the rows of some outputs; those of the call before the last are gone. */
function partsOf(
  tensor: Pick<NamedTensor, "read" | "readPart">,
  rest: number,
  most: number,
  outputs: number,
): (output: number, count: number) => Float32Array | Promise<Float32Array> {
  if (tensor.readPart === undefined) {
    const whole = floats(tensor.read());
    return (output, count) => whole.subarray(output * rest, (output + count) * rest);
  }
  const buffers = Array.from({ length: most < outputs ? 2 : 1 }, () => new Uint8Array(4 * rest * most));
  let turn = 0;
  return (output, count) => tensor.readPart!(output * rest, count * rest, buffers[turn++ % buffers.length]!);
}

/** Puts the rows of `count` outputs into their columns, a tile at a time. */
function turnOutputs(
  from: Int32Array,
  to: Int32Array,
  tile: Int32Array,
  { output, count, order: { outputs, rows } }: { output: number; count: number; order: MatrixOrder },
): void {
  const rest = rows.length;
  for (let first = 0; first < rest; first += tileRest) {
    const width = Math.min(tileRest, rest - first);
    let o = 0;
    for (; o + 8 <= count; o += 8) turnEight(from, o * rest + first, rest, tile, o, width);
    for (; o < count; o++) {
      const start = o * rest + first;
      for (let j = 0; j < width; j++) tile[j * tileOutputs + o] = from[start + j]!;
    }
    for (let j = 0; j < width; j++) {
      to.set(tile.subarray(j * tileOutputs, j * tileOutputs + count), rows[first + j]! * outputs + output);
    }
  }
}

/** `width` elements of eight rows into a tile's columns: written side by side, which takes half the time of one after the other. */
function turnEight(
  from: Int32Array,
  start: number,
  rest: number,
  tile: Int32Array,
  column: number,
  width: number,
): void {
  const [a, b, c, d] = [start, start + rest, start + 2 * rest, start + 3 * rest];
  const [e, f, g, h] = [start + 4 * rest, start + 5 * rest, start + 6 * rest, start + 7 * rest];
  for (let j = 0, to = column; j < width; j++, to += tileOutputs) {
    tile[to] = from[a + j]!;
    tile[to + 1] = from[b + j]!;
    tile[to + 2] = from[c + j]!;
    tile[to + 3] = from[d + j]!;
    tile[to + 4] = from[e + j]!;
    tile[to + 5] = from[f + j]!;
    tile[to + 6] = from[g + j]!;
    tile[to + 7] = from[h + j]!;
  }
}

/** `[rest', outputs] -> [outputs, rest]`. */
export function toTorchOrder(data: TensorData, { outputs, rows }: MatrixOrder): TensorData {
  const values = new Float32Array(data.length);
  const [from, to, tile] = [words(floats(data)), words(values), new Int32Array(tileOutputs * tileRest)];
  const rest = rows.length;
  for (let output = 0; output < outputs; output += tileOutputs) {
    const count = Math.min(tileOutputs, outputs - output);
    for (let first = 0; first < rest; first += tileRest) {
      const width = Math.min(tileRest, rest - first);
      for (let j = 0; j < width; j++) {
        const start = rows[first + j]! * outputs + output;
        tile.set(from.subarray(start, start + count), j * tileOutputs);
      }
      for (let o = 0; o < count; o++) {
        const start = (output + o) * rest + first;
        for (let j = 0; j < width; j++) to[start + j] = tile[j * tileOutputs + o]!;
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
 * A tile of 32 KB, which the fastest cache holds, wide where the lines of tfjs' order are copied whole: a plain walk would fetch a line
 * of memory for every element.
 */
const tileOutputs = 256;
const tileRest = 32;

function floats(data: TensorData): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

/** The same memory as whole numbers: V8 makes a double of every float that it moves, and a float of it again. */
function words({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}
