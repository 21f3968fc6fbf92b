import type { TensorData } from "../named-tensor.ts";

/**
 * How a weight lies in PyTorch. Convolutions and dense layers are, in both worlds, a matrix of outputs by the rest; PyTorch has the
 * outputs first, tfjs last, and the rest is ordered differently. `rows[j]` is where tfjs has the element `j` of PyTorch's rest.
 */
export interface MatrixOrder {
  readonly outputs: number;
  readonly rows: Int32Array;
}

/** `[outputs, rest] -> [rest', outputs]`. */
export function fromTorchOrder(data: TensorData, { outputs, rows }: MatrixOrder): TensorData {
  const [from, to] = [floats(data), new Float32Array(data.length)];
  const rest = rows.length;
  forTiles(outputs, rest, (tile, output, outputCount, first, count) => {
    for (let o = 0; o < outputCount; o++) {
      const start = (output + o) * rest + first;
      for (let j = 0; j < count; j++) tile[j * tileOutputs + o] = from[start + j]!;
    }
    for (let j = 0; j < count; j++) {
      const line = tile.subarray(j * tileOutputs, j * tileOutputs + outputCount);
      to.set(line, rows[first + j]! * outputs + output);
    }
  });
  return to;
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
