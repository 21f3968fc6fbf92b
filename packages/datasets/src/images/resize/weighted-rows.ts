import { weightedWasm } from "./weighted-wasm.ts";
import { heapOf, instantiate, roundUp } from "./wasm-kernel.ts";

/**
 * The pixels that contribute to each sample along one side: `count[i]` pixels from `first[i]`, with all weights in one
 * list.
 */
export interface Taps {
  first: Int32Array;
  count: Int32Array;
  weights: Float64Array;
}

interface Kernel {
  memory: WebAssembly.Memory;
  addRow(row: number, weight: number, bytes: number, line: number, first: boolean): void;
  across(line: number, taps: number, count: number, width: number, out: number): void;
}

let kernel: Kernel | undefined;

/**
 * Resizes RGB pixels with any separable kernel and WebAssembly's vector instructions. `rowAt(y)` gives a row of the
 * source, `[columns, 3]`, and `target` gets `[vertical.first.length, horizontal.first.length, 3]`, rounded.
 */
export function weightedRows(
  target: Uint8Array,
  { vertical, horizontal }: { vertical: Taps; horizontal: Taps },
  columns: number,
  rowAt: (y: number) => Uint8Array,
): void {
  kernel ??= instantiate<Kernel>(weightedWasm);
  const [height, width, bytes] = [vertical.first.length, horizontal.first.length, columns * 3];
  const [slots, count] = [most(vertical.count), most(horizontal.count)];
  const slotBytes = roundUp(bytes + 7);
  const rows = roundUp(width * 4 * (count + 1));
  const line = rows + slots * slotBytes;
  // Taps with weight 0 may lie past the line.
  const out = line + roundUp((bytes + 8 + 3 * count) * 4);
  const { memory, addRow, across } = kernel;
  const heap = heapOf(memory, out + height * width * 3 + 1);
  heap.fill(0, line, out);
  putTaps(new DataView(memory.buffer), horizontal, count);
  // The rows of one sample are consecutive, so each has its own slot.
  const held = new Int32Array(slots).fill(-1);
  let tap = 0;
  for (let y = 0; y < height; y++) {
    const first = vertical.first[y]!;
    for (let place = 0; place < vertical.count[y]!; place++) {
      const row = first + place;
      const slot = row % slots;
      const at = rows + slot * slotBytes;
      if (held[slot] !== row) heap.set(rowAt(row), at);
      held[slot] = row;
      addRow(at, vertical.weights[tap++]!, bytes, line, place === 0);
    }
    across(line, 0, count, width, out + y * width * 3);
  }
  target.set(heap.subarray(out, out + height * width * 3));
}

/** Writes each sample's first pixel and `count` weights, in the kernel's layout. */
function putTaps(memory: DataView, { first, count, weights }: Taps, most: number): void {
  let tap = 0;
  for (let x = 0; x < first.length; x++) {
    const at = 4 * x * (most + 1);
    memory.setInt32(at, first[x]! * 12, true);
    for (let place = 0; place < most; place++)
      memory.setFloat32(at + 4 + 4 * place, place < count[x]! ? weights[tap++]! : 0, true);
  }
}

function most(counts: Int32Array): number {
  return counts.reduce((a, b) => Math.max(a, b), 1);
}
