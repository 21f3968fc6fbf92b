import type { TensorData } from "../named-tensor.ts";

/**
 * How a weight lies in PyTorch. Convolutions and dense layers are, in both worlds, a matrix of outputs by the rest; PyTorch has the
 * outputs first, tfjs last, and the rest is ordered differently. `order[i]` is where row `i` of tfjs' rest is in PyTorch's.
 */
export interface MatrixOrder {
  readonly outputs: number;
  readonly order: Int32Array;
}

/** `[outputs, rest] -> [rest', outputs]`. */
export function fromTorchOrder(data: TensorData, { outputs, order }: MatrixOrder): TensorData {
  const rest = order.length;
  const out = new Float32Array(data.length);
  blocks(rest, outputs, (row, lastRow, output, lastOutput) => {
    for (let i = row; i < lastRow; i++) {
      const from = order[i]!;
      const to = i * outputs;
      for (let o = output; o < lastOutput; o++) out[to + o] = data[o * rest + from]!;
    }
  });
  return out;
}

/** `[rest', outputs] -> [outputs, rest]`. */
export function toTorchOrder(data: TensorData, { outputs, order }: MatrixOrder): TensorData {
  const rest = order.length;
  const out = new Float32Array(data.length);
  blocks(rest, outputs, (row, lastRow, output, lastOutput) => {
    for (let i = row; i < lastRow; i++) {
      const to = order[i]!;
      const from = i * outputs;
      for (let o = output; o < lastOutput; o++) out[o * rest + to] = data[from + o]!;
    }
  });
  return out;
}

/** The order of a kernel's rest: tfjs has it as `[height, width, inputs]`, PyTorch as `[inputs, height, width]`. */
export function kernelOrder(height: number, width: number, inputs: number): Int32Array {
  const order = new Int32Array(height * width * inputs);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let input = 0; input < inputs; input++) order[at++] = (input * height + y) * width + x;
    }
  }
  return order;
}

/** Walks a matrix in blocks that the cache holds: a plain walk would touch a new line of memory with every element. */
function blocks(
  rows: number,
  columns: number,
  visit: (row: number, lastRow: number, column: number, lastColumn: number) => void,
): void {
  const side = 64;
  for (let row = 0; row < rows; row += side) {
    for (let column = 0; column < columns; column += side) {
      visit(row, Math.min(rows, row + side), column, Math.min(columns, column + side));
    }
  }
}
