import { latin1Text } from "../bytes/encoding.ts";
import { disk } from "@convkit/weights/platform";
import type { ByteSink } from "@convkit/files";
import { ByteCursor } from "../bytes/byte-cursor.ts";
import type { ByteSource } from "../bytes/byte-source.ts";
import { checkedCount, dtypeBytes, storedTensor, swapBytes } from "../bytes/named-tensor.ts";
import type { NamedTensor, StoredType } from "../bytes/named-tensor.ts";
import { columnMajor, gatherBytes, isContiguous } from "../bytes/strided.ts";
import { WeightsError } from "../weights-error.ts";

/** NumPy's codes of types. bfloat16 is none of NumPy's own: ml_dtypes stores it as a void type of two bytes. */
export const numpyTypes: Readonly<Record<string, StoredType>> = {
  f8: "float64",
  f4: "float32",
  f2: "float16",
  i8: "int64",
  i4: "int32",
  i2: "int16",
  i1: "int8",
  u8: "uint64",
  u4: "uint32",
  u2: "uint16",
  u1: "uint8",
  b1: "bool",
  c8: "complex64",
  c16: "complex128",
  V2: "bfloat16",
};

const codes = Object.fromEntries(Object.entries(numpyTypes).map(([code, dtype]) => [dtype, code])) as Readonly<
  Partial<Record<StoredType, string>>
>;

/**
 * Reads NumPy's .npy, versions 1 to 3, in either order of axes. Format:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function readNpy(source: ByteSource, name = "array"): NamedTensor {
  const fail = (problem: string): never => {
    throw new WeightsError(source.file, "the header", problem);
  };
  const cursor = new ByteCursor(source);
  if (source.size < 12 || latin1Text(cursor.bytes(6)) !== "\x93NUMPY") fail("this is no .npy file");
  const version = cursor.u8();
  cursor.u8();
  const headerSize = version === 1 ? cursor.u16() : cursor.u32();
  if (version < 1 || version > 3 || headerSize > 1 << 16)
    fail(`version ${version} with a header of ${headerSize} bytes is not known`);
  const header = cursor.text(headerSize);
  const [, order, code] = /'descr': *'([<>|=])(\w+)'/.exec(header) ?? fail("its descr is not a plain type");
  const dtype = Object.hasOwn(numpyTypes, code!) ? numpyTypes[code!] : undefined;
  if (dtype === undefined) return fail(`element type ${code} is not known`);
  const fortran = /'fortran_order': *(True|False)/.exec(header)?.[1] ?? fail("its fortran_order is missing");
  const sizes = /'shape': *\(([\d, ]*)\)/.exec(header)?.[1] ?? fail("its shape is missing");
  const shape = sizes.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]));
  const count = checkedCount(shape) ?? fail(`(${sizes}) is not a shape`);
  const bytes = count * dtypeBytes[dtype];
  const start = cursor.position;
  if (start + bytes !== source.size)
    fail(`shape [${shape}] of ${dtype} needs ${bytes} bytes after byte ${start}, but the file has ${source.size}`);
  const strides = columnMajor(shape);
  const readBytes = () => {
    const stored = source.read(start, bytes);
    const inOrder =
      fortran === "False" || isContiguous(shape, strides)
        ? stored
        : gatherBytes(stored, dtypeBytes[dtype], shape, strides);
    return order === ">" ? swapBytes(inOrder, dtype) : inOrder;
  };
  return storedTensor(source.file, { name, shape, dtype, place: `byte ${start}`, readBytes });
}

/** Writes an array as NumPy's .npy file, whole or not at all. Throws a WeightsError if it cannot be written. */
export async function saveNpy(
  path: string,
  { shape, data }: { shape: readonly number[]; data: Float32Array },
): Promise<void> {
  const bytes = () => new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  await disk.file(path, (sink) => writeNpy(sink, { name: path, shape, dtype: "float32", readBytes: bytes }));
}

/** Writes one array as .npy, version 1, in its own type. */
export function writeNpy(
  sink: ByteSink,
  { name, shape, dtype, readBytes }: Pick<NamedTensor, "name" | "shape" | "dtype" | "readBytes">,
): void {
  const code = codes[dtype];
  if (code === undefined)
    throw new WeightsError(name, "", `NumPy has no type for ${dtype}: write .safetensors or .pth`);
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const order = dtypeBytes[dtype] === 1 ? "|" : "<";
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${sides}), }`;
  const padded = `${text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11)}\n`;
  sink.write(Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 0xff, padded.length >> 8]));
  sink.write(new TextEncoder().encode(padded));
  sink.write(readBytes());
}
