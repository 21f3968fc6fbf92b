import { concatBytes } from "../../../bytes/encoding.ts";
import { join } from "@convkit/files/system";
import type { ByteSource, FileFolder } from "../../../bytes/byte-source.ts";
import { staysInside } from "../../../bytes/file-folder.ts";
import { widenBfloat16, widenFloat16 } from "../../../bytes/half-float.ts";
import { checkedCount, decodeElements, dtypeBytes } from "../../../bytes/named-tensor.ts";
import type { StoredType } from "../../../bytes/named-tensor.ts";
import { WeightsError } from "../../../weights-error.ts";
import { decodeOnnx, fieldNumber } from "../protos.ts";
import type { OnnxMessage } from "../protos.ts";
import type { Constant, ElementKind } from "./constant.ts";
import { fieldsOf } from "./fields.ts";
import type { Field } from "./fields.ts";

/** The element types that are read, by ONNX's number. */
const types: Readonly<Record<number, readonly [StoredType, ElementKind]>> = {
  1: ["float32", "float"],
  2: ["uint8", "int"],
  3: ["int8", "int"],
  4: ["uint16", "int"],
  5: ["int16", "int"],
  6: ["int32", "int"],
  7: ["int64", "int"],
  9: ["bool", "bool"],
  10: ["float16", "float"],
  11: ["float64", "float"],
  12: ["uint32", "int"],
  13: ["uint64", "int"],
  16: ["bfloat16", "float"],
};

/** The kind of an element type; undefined if it is not read. */
export function elementKind(type: number): ElementKind | undefined {
  return types[type]?.[1];
}

/** Where external data may be: the folder of the model, and the files there that are open. */
export interface ExternalFolder {
  /** Missing for a model in memory. */
  readonly folder?: FileFolder | undefined;
  readonly external: Map<string, ByteSource>;
}

/** Elements of more bytes than this are read from the file each time. */
const keptBytes = 1 << 16;

/** A tensor of the file. Its `raw_data` stays in the file until it is read. */
export function sourceTensor(source: ByteSource, whole: Field, where: ExternalFolder): Constant {
  const raw = fieldNumber("TensorProto", "raw_data");
  let data: Field | undefined;
  const rest: Uint8Array[] = [];
  let start = whole.start;
  for (const field of fieldsOf(source, whole.start, whole.size)) {
    const end = field.value === undefined ? field.start + field.size : undefined;
    if (field.number === raw) {
      // Keeps the fields before the data, without the header of the data.
      if (data !== undefined) throw new WeightsError(source.file, `byte ${field.start}`, "a tensor has two raw_data");
      const header = headerBytes(raw, field.size);
      rest.push(source.read(start, field.start - header - start));
      data = field;
      start = end!;
    }
  }
  rest.push(source.read(start, whole.start + whole.size - start));
  const message = decoded(source.file, whole, concatBytes(rest));
  return tensorOf(source.file, `initializer "${String(message["name"] ?? "")}"`, message, {
    ...where,
    ...(data === undefined ? {} : { raw: { source, start: data.start, size: data.size } }),
  });
}

function headerBytes(number: number, size: number): number {
  const bytes = (value: number): number => (value < 128 ? 1 : 1 + bytes(Math.floor(value / 128)));
  return bytes(number * 8) + bytes(size);
}

function decoded(file: string, { start }: Field, bytes: Uint8Array): OnnxMessage {
  try {
    return decodeOnnx("TensorProto", bytes);
  } catch (error) {
    throw new WeightsError(file, `byte ${start}`, `expected a tensor: ${(error as Error).message}`, { cause: error });
  }
}

/** A tensor within a node, whose bytes are in memory. */
export function inlineTensor(file: string, place: string, message: OnnxMessage | undefined): Constant {
  if (message === undefined) throw new WeightsError(file, place, "expected a tensor");
  return tensorOf(file, place, message, {});
}

interface Data extends Partial<ExternalFolder> {
  readonly raw?: { readonly source: ByteSource; readonly start: number; readonly size: number };
}

function tensorOf(file: string, place: string, message: OnnxMessage, { raw, folder, external }: Data): Constant {
  const refuse = (problem: string): never => {
    throw new WeightsError(file, place, problem);
  };
  const shape = message["dims"] as number[];
  const count = checkedCount(shape) ?? refuse(`expected sizes of a tensor, got [${shape.join(", ")}]`);
  const found = types[Number(message["data_type"])];
  if (found === undefined) return refuse(`has elements of type ${String(message["data_type"])}, which is not known`);
  const [stored, type] = found;
  const size = count * dtypeBytes[stored];
  const make = (read: () => ArrayLike<number>): Constant => ({
    kind: "constant",
    name: String(message["name"] ?? ""),
    shape,
    type,
    stored,
    read,
  });
  const fromSource = (source: ByteSource, start: number, bytes: number): Constant => {
    if (bytes !== size) return refuse(`[${shape.join(", ")}] of ${stored} takes ${size} bytes, the file has ${bytes}`);
    const read = (): ArrayLike<number> => elements(source.read(start, bytes), stored, file, place);
    if (bytes > keptBytes) return make(read);
    const values = read();
    return make(() => values);
  };
  if (message["data_location"] === 1) {
    if (external === undefined) return refuse("external data are read for initializers only");
    const { source, offset, length } = externalPart(message, { folder, external }, size, refuse);
    return fromSource(source, offset, length);
  }
  if (raw !== undefined) return fromSource(raw.source, raw.start, raw.size);
  const inline = message["raw_data"] as Uint8Array | undefined;
  if (inline !== undefined && inline.byteLength > 0) {
    if (inline.byteLength !== size)
      return refuse(`[${shape.join(", ")}] of ${stored} takes ${size} bytes, the file has ${inline.byteLength}`);
    const values = elements(new Uint8Array(inline), stored, file, place);
    return make(() => values);
  }
  const values = typed(message, stored);
  if (values.length !== count)
    return refuse(`[${shape.join(", ")}] has ${count} elements, the file has ${values.length}`);
  return make(() => values);
}

/** Elements as numbers. 64-bit whole numbers keep their size. */
function elements(bytes: Uint8Array<ArrayBuffer>, stored: StoredType, file: string, place: string): ArrayLike<number> {
  if (stored !== "int64" && stored !== "uint64") return decodeElements(bytes, stored, file, place);
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const over = [aligned.buffer, aligned.byteOffset, aligned.byteLength / 8] as const;
  return Float64Array.from(stored === "int64" ? new BigInt64Array(...over) : new BigUint64Array(...over), Number);
}

/** The elements in the typed field of their type. */
function typed(message: OnnxMessage, stored: StoredType): ArrayLike<number> {
  const field = (name: string): number[] => (message[name] ?? []) as number[];
  if (stored === "float32") return Float32Array.from(field("float_data"));
  if (stored === "float64") return Float32Array.from(field("double_data"));
  if (stored === "int64") return Float64Array.from(field("int64_data"));
  if (stored === "uint64" || stored === "uint32") return Float64Array.from(field("uint64_data"));
  const words = field("int32_data");
  if (stored === "float16") return widenFloat16(Uint16Array.from(words));
  if (stored === "bfloat16") return widenBfloat16(Uint16Array.from(words));
  return Int32Array.from(words);
}

function externalPart(
  message: OnnxMessage,
  { folder, external: opened }: ExternalFolder,
  size: number,
  refuse: (problem: string) => never,
): { source: ByteSource; offset: number; length: number } {
  const entries = new Map(
    (message["external_data"] as { key?: string; value?: string }[]).map(({ key = "", value = "" }) => [key, value]),
  );
  const location = entries.get("location") ?? "";
  const number = (name: string, otherwise: number): number => {
    const value = entries.get(name);
    if (value === undefined) return otherwise;
    return /^\d{1,15}$/.test(value) ? Number(value) : refuse(`expected a number as its ${name}, got "${value}"`);
  };
  if (location === "" || !staysInside(location))
    return refuse(`expected external data beside the model, got "${location}"`);
  const name = join(location);
  let source = opened.get(name);
  if (source === undefined) {
    if (folder === undefined) return refuse(`needs "${location}" beside the model, which was not given`);
    source = folder.open(name);
    opened.set(name, source);
    if (folder.leadsOut?.(name) === true)
      return refuse(`expected external data beside the model, but "${location}" is a link to another folder`);
  }
  const offset = number("offset", 0);
  const length = number("length", source.size - offset);
  if (offset + length > source.size || length !== size)
    return refuse(
      `takes ${size} bytes, but "${location}" has ${length} of its ${source.size} bytes for it from byte ${offset}`,
    );
  return { source, offset, length };
}
