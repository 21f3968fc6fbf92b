import { inflate } from "@convkit/weights/platform";
import { WeightsError } from "../../weights-error.ts";
import type { Hdf5Bytes } from "./bytes.ts";
import { withoutChecksum } from "./fletcher32.ts";
import { unpackLzf } from "./lzf.ts";

export interface Filter {
  readonly id: number;
  readonly values: readonly number[];
}

const filterLimit = 32;

/** Filters that are undone, by their number. */
export const knownFilters = { 1: "deflate", 2: "shuffle", 3: "fletcher32", 32_000: "LZF" } as const;

/** Filters that are not undone. */
export const unknownFilters: Readonly<Record<number, string>> = {
  4: "szip",
  5: "n-bit",
  6: "scale-offset",
  307: "bzip2",
  32001: "Blosc",
  32004: "LZ4",
  32008: "bitshuffle",
  32013: "ZFP",
  32015: "Zstandard",
  32026: "Blosc2",
};

/** Reads the messages of filters. Throws for a filter that is applied twice: it could unpack to any size. */
export function readFilters(bodies: readonly Hdf5Bytes[], file: string, place: string): Filter[] {
  const filters = bodies.flatMap(readMessage);
  const twice = filters.find(({ id }, index) => filters.findIndex((other) => other.id === id) !== index);
  if (twice !== undefined) throw new WeightsError(file, place, `is packed by filter ${twice.id} twice`);
  return filters;
}

function readMessage(body: Hdf5Bytes): Filter[] {
  const version = body.u8();
  const count = body.u8();
  if (version === 1) body.skip(6);
  else if (version !== 2) body.fail(`filter version ${version} is not known`);
  if (count > filterLimit) body.fail(`${count} filters, but HDF5 allows ${filterLimit}`);
  return Array.from({ length: count }, () => {
    const id = body.u16();
    const nameSize = version === 1 || id >= 256 ? body.u16() : 0;
    body.skip(2);
    const valueCount = body.u16();
    body.skip(version === 1 ? Math.ceil(nameSize / 8) * 8 : nameSize);
    const values = Array.from({ length: valueCount }, () => body.u32());
    if (version === 1 && valueCount % 2 === 1) body.skip(4);
    return { id, values };
  });
}

/** Undoes the filters from the last to the first. Each bit set in `mask` marks a filter that this chunk skipped. */
export function unfilter(
  stored: Uint8Array<ArrayBuffer>,
  filters: readonly Filter[],
  mask: number,
  chunkSize: number,
  file: string,
  place: string,
): Uint8Array {
  let bytes: Uint8Array = stored;
  for (let index = filters.length - 1; index >= 0; index--) {
    const filter = filters[index]!;
    if ((mask & (1 << index)) !== 0) continue;
    if (filter.id === 1) bytes = unpackDeflate(bytes, chunkSize + 4, file, place);
    else if (filter.id === 2) bytes = unshuffle(bytes, filter.values[0] ?? 1);
    else if (filter.id === 3) bytes = withoutChecksum(bytes, file, place);
    else if (filter.id === 32000) bytes = unpackLzf(bytes, chunkSize + 4, file, place);
    else {
      const name = unknownFilters[filter.id];
      const known = Object.entries(knownFilters)
        .map(([id, text]) => `${text} (${id})`)
        .join(", ");
      throw new WeightsError(
        file,
        place,
        `is packed by filter ${filter.id}${name === undefined ? "" : ` (${name})`}; ${known} are known`,
      );
    }
  }
  if (bytes.byteLength < chunkSize)
    throw new WeightsError(file, place, `a chunk should have ${chunkSize} bytes, but unpacks to ${bytes.byteLength}`);
  return bytes;
}

function unpackDeflate(bytes: Uint8Array, limit: number, file: string, place: string): Uint8Array {
  try {
    return inflate(bytes, limit);
  } catch (error) {
    throw new WeightsError(file, place, `a chunk does not unpack: ${(error as Error).message}`, { cause: error });
  }
}

/** Undoes HDF5's shuffle filter, which stores the first bytes of all elements, then all second bytes, and so on. */
function unshuffle(bytes: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(bytes.byteLength / size);
  if (size < 2 || count < 2) return bytes;
  const out = new Uint8Array(bytes.byteLength);
  for (let part = 0; part < size; part++) {
    for (let i = 0; i < count; i++) out[i * size + part] = bytes[part * count + i]!;
  }
  out.set(bytes.subarray(count * size), count * size);
  return out;
}
