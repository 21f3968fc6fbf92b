import { readFile, writeFile } from "node:fs/promises";

/** A float32 array in C order. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const readers: Readonly<Record<string, (buffer: ArrayBuffer) => ArrayLike<number>>> = {
  "<f4": (buffer) => new Float32Array(buffer),
  "<f8": (buffer) => new Float64Array(buffer),
  "|u1": (buffer) => new Uint8Array(buffer),
  "<i4": (buffer) => new Int32Array(buffer),
  "<i8": (buffer) => Array.from(new BigInt64Array(buffer), Number),
};

/** Reads NumPy's .npy (versions 1 to 3), converted to float32; throws with the file and what does not fit. */
export async function readNpy(path: string): Promise<NumpyArray> {
  const file = await readFile(path);
  if (file.length < 12 || file.toString("latin1", 0, 6) !== "\u0093NUMPY")
    throw new Error(`${path} must be a NumPy .npy file, which begins with \\x93NUMPY.`);
  const long = file[6]! >= 2;
  const start = long ? 12 : 10;
  const header = file.toString("latin1", start, start + (long ? file.readUInt32LE(8) : file.readUInt16LE(8)));
  const dtype = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? "";
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "")
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  const read = readers[dtype];
  if (read === undefined)
    throw new Error(`${path} has the type ${dtype || "unknown"}; known are ${Object.keys(readers).join(", ")}.`);
  if (/'fortran_order':\s*True/.test(header))
    throw new Error(`${path} is in Fortran order; save it with numpy.ascontiguousarray.`);
  const body = file.subarray(start + header.length);
  const count = shape.reduce((product, size) => product * size, 1);
  const width = Number(dtype.slice(2));
  if (body.length !== count * width)
    throw new Error(
      `${path} must hold ${count * width} bytes of ${dtype} for the shape (${shape.join(", ")}) but holds ${body.length}.`,
    );
  const buffer = body.buffer.slice(body.byteOffset, body.byteOffset + body.length) as ArrayBuffer;
  return { shape, data: Float32Array.from(read(buffer)) };
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
