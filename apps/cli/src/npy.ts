import { writeFile } from "node:fs/promises";
import { openWeights } from "@convkit/weights";

/** A float32 array in C order. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Reads NumPy's .npy, converted to float32; throws with the file and what does not fit. */
export function readNpy(path: string): NumpyArray {
  const file = openWeights(path);
  try {
    const [array] = file.tensors;
    if (file.format !== "npy" || array === undefined)
      throw new Error(`${path} must be a NumPy .npy file but is ${file.format}.`);
    return { shape: array.shape, data: Float32Array.from(array.read()) };
  } finally {
    file.close();
  }
}

/** Writes float32 as NumPy's .npy, version 1. */
export async function writeNpy(path: string, { shape, data }: NumpyArray): Promise<void> {
  const tuple = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.alloc(10);
  head.write("\u0093NUMPY\u0001\u0000", "latin1");
  head.writeUInt16LE(header.length, 8);
  await writeFile(
    path,
    Buffer.concat([head, Buffer.from(header, "latin1"), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
  );
}
