import type { NamedTensor, TensorData } from "../named-tensor.ts";

/**
 * How a weight lies in PyTorch. Convolutions and dense layers are, in both worlds, a matrix of outputs by the rest; PyTorch has the
 * outputs first, tfjs last, and the rest is ordered differently. `rows[j]` is where tfjs has the element `j` of PyTorch's rest.
 */
export interface MatrixOrder {
  readonly outputs: number;
  readonly rows: Int32Array;
}

/** `[outputs, rest] -> [rest', outputs]`; a file is read a few outputs at a time, so that only the result takes memory. */
export function fromTorchOrder(tensor: Pick<NamedTensor, "read" | "readPart">, order: MatrixOrder): TensorData {
  const rest = order.rows.length;
  const to = new Float32Array(order.outputs * rest);
  const tile = new Float32Array(tileOutputs * tileRest);
  const whole = tensor.readPart === undefined ? floats(tensor.read()) : undefined;
  const into = new Uint8Array(whole === undefined ? 4 * rest * Math.min(tileOutputs, order.outputs) : 0);
  for (let output = 0; output < order.outputs; output += tileOutputs) {
    const count = Math.min(tileOutputs, order.outputs - output);
    const part =
      whole?.subarray(output * rest, (output + count) * rest) ?? tensor.readPart!(output * rest, count * rest, into);
    turnOutputs(part, to, tile, { output, count, order });
  }
  return to;
}

/** Puts the rows of `count` outputs into their columns, a tile at a time. */
function turnOutputs(
  from: Float32Array,
  to: Float32Array,
  tile: Float32Array,
  { output, count, order: { outputs, rows } }: { output: number; count: number; order: MatrixOrder },
): void {
  const rest = rows.length;
  for (let first = 0; first < rest; first += tileRest) {
    const width = Math.min(tileRest, rest - first);
    for (let o = 0; o < count; o++) {
      const start = o * rest + first;
      for (let j = 0; j < width; j++) tile[j * tileOutputs + o] = from[start + j]!;
    }
    for (let j = 0; j < width; j++) {
      to.set(tile.subarray(j * tileOutputs, j * tileOutputs + count), rows[first + j]! * outputs + output);
    }
  }
}

/** `[rest', outputs] -> [outputs, rest]`. */
export function toTorchOrder(data: TensorData, { outputs, rows }: MatrixOrder): TensorData {
  const [from, to] = [floats(data), new Float32Array(data.length)];
  const rest = rows.length;
  forTiles(outputs, rest, (tile, output, outputCount, first, count) => {
    for (let j = 0; j < count; j++) {
      const start = rows[first + j]! * outputs + output;
      tile.set(from.subarray(start, start + outputCount), j * tileOutputs);
    }
    for (let o = 0; o < outputCount; o++) {
      const start = (output + o) * rest + first;
      for (let j = 0; j < count; j++) to[start + j] = tile[j * tileOutputs + o]!;
    }
  });
  return to;
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

/** A tile of 32 KB, wide where the lines of tfjs' order are copied whole. */
const tileOutputs = 256;
const tileRest = 32;

type Visit = (tile: Float32Array, output: number, outputCount: number, first: number, count: number) => void;

/**
 * Walks a matrix in tiles that the fastest cache holds, each copied there and out again in order: a plain walk would fetch a line of
 * memory for every element.
 */
function forTiles(outputs: number, rest: number, visit: Visit): void {
  const tile = new Float32Array(tileOutputs * tileRest);
  for (let output = 0; output < outputs; output += tileOutputs) {
    for (let first = 0; first < rest; first += tileRest) {
      visit(tile, output, Math.min(tileOutputs, outputs - output), first, Math.min(tileRest, rest - first));
    }
  }
}

function floats(data: TensorData): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data);
}
