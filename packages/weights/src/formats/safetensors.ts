import { shown } from "@convkit/errors";
import { type ByteSink, type FileError, parseJson } from "@convkit/files";
import type { ByteSource } from "../bytes/byte-source.ts";
import { checkedCount, dtypeBytes, floatParts, storedTensor } from "../bytes/named-tensor.ts";
import type { NamedTensor, StoredType } from "../bytes/named-tensor.ts";
import { WeightsError } from "../weights-error.ts";

/** The format's limit on the size of the header. */
const headerLimit = 100_000_000;

const typeNames: Readonly<Record<string, StoredType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U64: "uint64",
  U32: "uint32",
  U16: "uint16",
  U8: "uint8",
  BOOL: "bool",
  F8_E4M3: "float8_e4m3fn",
  F8_E5M2: "float8_e5m2",
  C64: "complex64",
};

const codes = Object.fromEntries(Object.entries(typeNames).map(([code, dtype]) => [dtype, code])) as Readonly<
  Partial<Record<StoredType, string>>
>;

/**
 * The tensors of a safetensors file, in the order of its bytes; only the header is read. Every offset is checked: the
 * tensors must cover the file's data without holes or overlaps. Format:
 * https://github.com/huggingface/safetensors#format
 */
export function readSafetensors(source: ByteSource): { tensors: NamedTensor[]; metadata: Record<string, string> } {
  const fail = (place: string, problem: string): never => {
    throw new WeightsError(source.file, place, problem);
  };
  if (source.size < 8) fail("byte 0", `expected the 8 bytes of the header's length, but the file has ${source.size}`);
  const stated = new DataView(source.read(0, 8).buffer).getBigUint64(0, true);
  if (stated > BigInt(Math.min(headerLimit, source.size - 8))) {
    fail(
      "byte 0",
      `the header claims ${stated} bytes, but the file has ${source.size} and a header at most ${headerLimit}`,
    );
  }
  const headerSize = Number(stated);
  const start = 8 + headerSize;
  let header: unknown;
  try {
    header = parseJson(source.read(8, headerSize), source.file, { maxBytes: headerLimit });
  } catch (error) {
    throw new WeightsError(source.file, "byte 8", `the header ${(error as FileError).problem.replace(/\.$/, "")}`, {
      cause: error,
    });
  }
  if (!isRecord(header)) return fail("byte 8", "the header must be a JSON object");

  const spans: { begin: number; end: number; tensor: NamedTensor }[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    const place = `tensor "${name}"`;
    if (!isRecord(entry)) return fail(place, "expected an object with dtype, shape and data_offsets");
    if (name === "__metadata__") {
      if (!Object.values(entry).every((value) => typeof value === "string"))
        fail(place, "metadata must map strings to strings");
      metadata = entry as Record<string, string>;
      continue;
    }
    const { dtype: typeName, shape, data_offsets: offsets } = entry;
    const dtype = typeof typeName === "string" && Object.hasOwn(typeNames, typeName) ? typeNames[typeName] : undefined;
    if (dtype === undefined)
      return fail(place, `element type ${shown(typeName)} is not one of ${Object.keys(typeNames).join(", ")}`);
    const count = checkedCount(shape);
    if (count === undefined) return fail(place, `${shown(shape)} is not a shape`);
    if (!Array.isArray(offsets) || offsets.length !== 2) return fail(place, "data_offsets must be two numbers");
    const [begin, end] = offsets as [unknown, unknown];
    if (typeof begin !== "number" || typeof end !== "number" || end - begin !== count * dtypeBytes[dtype]) {
      return fail(place, `data_offsets ${shown(offsets)} do not hold ${count} elements of ${dtype}`);
    }
    const readBytes = () => source.read(start + begin, end - begin);
    const tensor = storedTensor(source.file, { name, shape: shape as number[], dtype, place, readBytes });
    spans.push({
      begin,
      end,
      tensor: dtype === "float32" ? { ...tensor, readPart: floatParts(source, start + begin) } : tensor,
    });
  }
  spans.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { begin, end, tensor } of spans) {
    if (begin !== at) fail(tensor.place, `starts at ${begin} of the data, but the tensors before it end at ${at}`);
    at = end;
  }
  if (start + at !== source.size)
    fail(`byte ${start + at}`, `the tensors end here, but the file has ${source.size} bytes`);
  return { tensors: spans.map(({ tensor }) => tensor), metadata };
}

/**
 * Writes tensors in safetensors' format, in their own types. The widest types come first, so that every tensor begins
 * at a multiple of its element's size.
 */
export function writeSafetensors(
  sink: ByteSink,
  tensors: readonly NamedTensor[],
  metadata: Record<string, string> = {},
): void {
  const header: Record<string, unknown> = Object.keys(metadata).length === 0 ? {} : { __metadata__: metadata };
  const ordered = tensors.toSorted((a, b) => dtypeBytes[b.dtype] - dtypeBytes[a.dtype]);
  let at = 0;
  for (const { name, shape, dtype } of ordered) {
    const code = codes[dtype];
    if (code === undefined || name === "__metadata__")
      throw new WeightsError(name, "", `safetensors has no ${code === undefined ? `type for ${dtype}` : "such name"}`);
    const bytes = shape.reduce((product, side) => product * side, dtypeBytes[dtype]);
    Object.defineProperty(header, name, {
      value: { dtype: code, shape, data_offsets: [at, at + bytes] },
      enumerable: true,
    });
    at += bytes;
  }
  const text = JSON.stringify(header);
  const encoded = new TextEncoder().encode(text);
  const padded = new Uint8Array(Math.ceil(encoded.byteLength / 8) * 8).fill(0x20);
  padded.set(encoded);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.byteLength), true);
  sink.write(length);
  sink.write(padded);
  for (const { readBytes } of ordered) sink.write(readBytes());
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
