import { concatBytes, latin1Bytes, utf8Bytes } from "../../bytes/encoding.ts";
import type { ByteSink } from "@convkit/files";
import { countOf, dtypeBytes } from "../../bytes/named-tensor.ts";
import type { NamedTensor, StoredType } from "../../bytes/named-tensor.ts";
import { writeZip } from "../../bytes/zip-writer.ts";

/** Storages of PyTorch by type; other types have an untyped storage, and the type stands beside it. */
const storages: Readonly<Partial<Record<StoredType, string>>> = {
  float64: "DoubleStorage",
  float32: "FloatStorage",
  float16: "HalfStorage",
  bfloat16: "BFloat16Storage",
  int64: "LongStorage",
  int32: "IntStorage",
  int16: "ShortStorage",
  int8: "CharStorage",
  uint8: "ByteStorage",
  bool: "BoolStorage",
  complex64: "ComplexFloatStorage",
  complex128: "ComplexDoubleStorage",
};

/** Writes a state dict as `torch.save` does since 1.6; `torch.load` reads it, with `weights_only` too. */
export function writeTorchState(sink: ByteSink, tensors: readonly NamedTensor[]): void {
  const text = (value: string) => (entry: ByteSink) => entry.write(utf8Bytes(value));
  writeZip(sink, [
    { name: "archive/data.pkl", fill: (entry) => entry.write(statePickle(tensors)) },
    { name: "archive/byteorder", fill: text("little") },
    ...tensors.map(({ readBytes }, index) => ({
      name: `archive/data/${index}`,
      fill: (entry: ByteSink) => entry.write(readBytes()),
    })),
    { name: "archive/version", fill: text("3\n") },
  ]);
}

/** A pickle of protocol 2: a dict of tensors that refer to their storages. Opcodes: CPython's Lib/pickletools.py. */
function statePickle(tensors: readonly NamedTensor[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x80, 2, 0x7d)];
  const put = (letters: string): void => void parts.push(latin1Bytes(letters));
  const global = (module: string, name: string): void => put(`c${module}\n${name}\n`);
  const word = (opcode: number, value: number): void => {
    const bytes = new Uint8Array(5);
    bytes[0] = opcode;
    new DataView(bytes.buffer).setInt32(1, value, true);
    parts.push(bytes);
  };
  const string = (value: string): void => {
    const bytes = utf8Bytes(value);
    word(0x58, bytes.byteLength);
    parts.push(bytes);
  };
  const integer = (value: number): void => {
    if (value < 2 ** 31) return word(0x4a, value);
    const bytes = new Uint8Array(10);
    bytes.set([0x8a, 8]);
    new DataView(bytes.buffer).setBigInt64(2, BigInt(value), true);
    parts.push(bytes);
  };
  const tuple = (values: readonly number[]): void => {
    put("(");
    for (const value of values) integer(value);
    put("t");
  };
  put("(");
  for (const [index, { name, shape, dtype }] of tensors.entries()) {
    const storage = storages[dtype];
    string(name);
    global("torch._utils", storage === undefined ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
    put("((");
    string("storage");
    if (storage === undefined) global("torch.storage", "UntypedStorage");
    else global("torch", storage);
    string(String(index));
    string("cpu");
    integer(countOf(shape) * (storage === undefined ? dtypeBytes[dtype] : 1));
    put("tQ");
    integer(0);
    tuple(shape);
    tuple(shape.map((_, axis) => countOf(shape.slice(axis + 1))));
    put("\x89ccollections\nOrderedDict\n)R");
    if (storage === undefined) global("torch", dtype);
    put("tR");
  }
  put("u.");
  return concatBytes(parts);
}
