import { bilinearWasm } from "./bilinear-wasm.ts";
import { heapOf, instantiate, roundUp } from "./wasm-kernel.ts";

/** The position of each new pixel or row: between `low` and `high`, where `share` is the weight of `high`. */
export interface LinearTaps {
  low: Int32Array;
  high: Int32Array;
  share: Float32Array;
}

/** RGB pixels with `columns` per row: row y begins at `start + y * stride`. */
export interface Rows {
  data: Uint8Array;
  start: number;
  stride: number;
  columns: number;
}

interface Kernel {
  memory: WebAssembly.Memory;
  resize(
    ...args: [
      rows: number,
      height: number,
      taps: number,
      width: number,
      out: number,
      bytes: number,
      line: number,
      dense: boolean,
    ]
  ): void;
}

let kernel: Kernel | undefined;

/** The most bytes of a source that the kernel's memory holds at a time, except that two rows always fit. */
const bandBytes = 2 ** 19;

/**
 * Bilinear sampling of RGB pixels with WebAssembly's vector instructions, four times as fast as JavaScript: `target`
 * gets `[vertical.low.length, horizontal.low.length, 3]`.
 */
export function bilinearRows(
  target: Uint8Array,
  { vertical, horizontal }: { vertical: LinearTaps; horizontal: LinearTaps },
  source: Rows,
): void {
  kernel ??= instantiate<Kernel>(bilinearWasm);
  const { columns, stride } = source;
  const [height, width, bytes] = [vertical.low.length, horizontal.low.length, columns * 3];
  const table = roundUp(width * 8);
  const line = table + roundUp(height * 12);
  // Bytes are copied eight at a time between equally aligned memory if one of the two is shared.
  const out = line + roundUp(4 * (bytes + 8)) + (target.byteOffset % 8);
  const band = roundUp(out + height * width * 3 + 1);
  const end = band + Math.max(bandBytes, 2 * stride) + stride;
  const { memory, resize } = kernel;
  const heap = heapOf(memory, end + 8);
  putTaps(memory, horizontal);
  // The kernel reads values past the rows with weight 0, so they must not be NaN.
  heap.fill(0, line + 4 * bytes, out);
  for (let y = 0; y < height;) {
    const rows = putBand(memory, { table, band, end }, vertical, y, source);
    resize(table, rows, 0, width, out + y * width * 3, bytes, line, columns <= 5 * width);
    y += rows;
  }
  target.set(heap.subarray(out, out + height * width * 3));
}

function putTaps(memory: WebAssembly.Memory, { low, high, share }: LinearTaps): void {
  const [starts, shares] = [new Int32Array(memory.buffer), new Float32Array(memory.buffer)];
  for (let x = 0; x < low.length; x++) {
    starts[2 * x] = low[x]! * 3;
    // At the edges, `low` and `high` are the same pixel, which has no right neighbour.
    shares[2 * x + 1] = low[x] === high[x] ? 0 : share[x]!;
  }
}

/**
 * Copies the source rows for the new rows from `first` on, as many as fit, and writes the table. Returns the number of
 * new rows.
 */
function putBand(
  memory: WebAssembly.Memory,
  { table, band, end }: { table: number; band: number; end: number },
  { low, high, share }: LinearTaps,
  first: number,
  { data, start, stride, columns }: Rows,
): number {
  const heap = new Uint8Array(memory.buffer);
  const [places, shares] = [new Int32Array(memory.buffer, table), new Float32Array(memory.buffer, table)];
  // Consecutive rows are copied together: row `from` up to but not including `to`, to address `at`.
  let [from, to, at] = [low[first]!, low[first]!, band];
  const copy = () => {
    const begin = start + from * stride;
    heap.set(data.subarray(begin, begin + (to - 1 - from) * stride + columns * 3), at - (to - from) * stride);
  };
  const placeOf = (row: number) => {
    if (row > to) {
      copy();
      from = row;
    }
    if (row >= to) {
      to = row + 1;
      at += stride;
    }
    return at - (to - row) * stride;
  };
  const isFull = () => at + 2 * stride > end;
  let y = first;
  for (; y < low.length && !isFull(); y++) {
    const place = 3 * (y - first);
    places[place] = placeOf(low[y]!);
    places[place + 1] = placeOf(high[y]!);
    shares[place + 2] = share[y]!;
  }
  copy();
  return y - first;
}
