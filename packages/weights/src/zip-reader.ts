import { crc32, inflateRawSync } from "node:zlib";
import { memorySource, windowOf } from "./byte-source.ts";
import type { ByteSource } from "./byte-source.ts";
import { WeightsError } from "./weights-error.ts";

export interface ZipEntry {
  readonly name: string;
  /** Bytes when unpacked, as the archive states. */
  readonly size: number;
  /** The entry's bytes: a window of the archive where it is stored, memory where it is packed. */
  open(): ByteSource;
}

/** A packed entry may grow to this many times the archive, or to this many bytes, whichever is more. */
const growthLimit = 20;
const growthFloor = 1 << 28;
const entryLimit = 200_000;

/**
 * The entries of a zip archive by name. Names that climb out of the archive, entries that overlap or lie outside the file, encrypted
 * entries and packed entries that grow without bound are refused. Format: APPNOTE.TXT 6.3.9, zip64 included.
 */
export function readZip(source: ByteSource): Map<string, ZipEntry> {
  const { offset, size, count } = findDirectory(source);
  if (count > entryLimit)
    throw new WeightsError(source.file, `byte ${offset}`, `claims ${count} entries, at most ${entryLimit} are read`);
  if (size > 1 << 28)
    throw new WeightsError(source.file, `byte ${offset}`, `a directory of ${size} bytes is too large`);
  const directory = source.read(offset, size);
  const view = new DataView(directory.buffer, directory.byteOffset, size);
  const entries = new Map<string, ZipEntry>();
  const spans: { begin: number; end: number; name: string }[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    const place = `byte ${offset + at}`;
    const fail = (problem: string): never => {
      throw new WeightsError(source.file, place, problem);
    };
    if (at + 46 > size || view.getUint32(at, true) !== 0x02014b50)
      return fail(`expected entry ${index} of ${count} of the directory`);
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const checksum = view.getUint32(at + 16, true);
    const nameSize = view.getUint16(at + 28, true);
    const extraSize = view.getUint16(at + 30, true);
    const next = at + 46 + nameSize + extraSize + view.getUint16(at + 32, true);
    if (next > size) return fail("the entry's names run past the directory");
    const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameSize));
    const wide = wideFields(view, at + 46 + nameSize, extraSize, [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ]);
    if (wide === undefined) return fail("the entry's zip64 sizes are broken");
    const [plainSize, packedSize, header] = wide;
    at = next;
    if (name.endsWith("/")) continue;
    checkName(source.file, place, name);
    if (entries.has(name)) return fail(`"${name}" is there twice`);
    if ((flags & 1) !== 0) return fail(`"${name}" is encrypted`);
    if (method !== 0 && method !== 8)
      return fail(`"${name}" is packed by method ${method}; stored and deflate are known`);
    if (method === 0 && plainSize !== packedSize) return fail(`"${name}" is stored, but its two sizes differ`);
    if (plainSize > Math.max(growthFloor, growthLimit * source.size)) {
      return fail(`"${name}" would unpack to ${plainSize} bytes out of an archive of ${source.size}`);
    }
    const data = dataOffset(source, header, name);
    spans.push({ begin: header, end: data + packedSize, name });
    entries.set(name, {
      name,
      size: plainSize,
      open: () => openEntry(source, name, { data, packedSize, plainSize, method, checksum }),
    });
  }
  spans.sort((a, b) => a.begin - b.begin);
  for (const [index, span] of spans.entries()) {
    const end = spans[index + 1]?.begin ?? offset;
    if (span.end > end)
      throw new WeightsError(source.file, `byte ${span.begin}`, `"${span.name}" overlaps what follows it`);
  }
  return entries;
}

interface Packed {
  data: number;
  packedSize: number;
  plainSize: number;
  method: number;
  checksum: number;
}

function openEntry(
  source: ByteSource,
  name: string,
  { data, packedSize, plainSize, method, checksum }: Packed,
): ByteSource {
  if (method === 0) return windowOf(source, data, packedSize, name);
  const file = `${source.file}/${name}`;
  let plain: Uint8Array;
  try {
    plain = inflateRawSync(source.read(data, packedSize), { maxOutputLength: Math.max(1, plainSize) });
  } catch (error) {
    throw new WeightsError(
      file,
      `byte ${data} of the archive`,
      `does not unpack to ${plainSize} bytes: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (plain.byteLength !== plainSize || crc32(plain) !== checksum) {
    throw new WeightsError(
      file,
      `byte ${data} of the archive`,
      "size or checksum differs from the archive's directory",
    );
  }
  return memorySource(plain, file);
}

function findDirectory(source: ByteSource): { offset: number; size: number; count: number } {
  const fail = (place: string, problem: string): never => {
    throw new WeightsError(source.file, place, problem);
  };
  const tailSize = Math.min(source.size, 22 + 0xffff);
  const tailStart = source.size - tailSize;
  const tail = source.read(tailStart, tailSize);
  const view = new DataView(tail.buffer, tail.byteOffset, tailSize);
  for (let at = tailSize - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50 || at + 22 + view.getUint16(at + 20, true) !== tailSize) continue;
    let count = view.getUint16(at + 10, true);
    let size = view.getUint32(at + 12, true);
    let offset = view.getUint32(at + 16, true);
    let end = tailStart + at;
    if (at >= 20 && view.getUint32(at - 20, true) === 0x07064b50) {
      end = wideNumber(view, at - 12) ?? fail(`byte ${tailStart + at - 12}`, "the zip64 locator lies");
      const record = source.read(end, 56);
      const wide = new DataView(record.buffer, record.byteOffset, 56);
      if (wide.getUint32(0, true) !== 0x06064b50) fail(`byte ${end}`, "expected the zip64 end of the directory");
      const [wideCount, wideSize, wideOffset] = [wideNumber(wide, 32), wideNumber(wide, 40), wideNumber(wide, 48)];
      if (wideCount === undefined || wideSize === undefined || wideOffset === undefined) {
        return fail(`byte ${end}`, "the zip64 end of the directory lies");
      }
      [count, size, offset] = [wideCount, wideSize, wideOffset];
    }
    if (offset + size > end) fail(`byte ${end}`, `the directory would be ${size} bytes at ${offset}, past its own end`);
    return { offset, size, count };
  }
  return fail(`byte ${tailStart}`, "this is no zip archive, or it was cut off: its directory is missing");
}

/** Where an entry's bytes begin, after its local header. */
function dataOffset(source: ByteSource, header: number, name: string): number {
  const local = source.read(header, 30);
  const view = new DataView(local.buffer, local.byteOffset, 30);
  if (view.getUint32(0, true) !== 0x04034b50) {
    throw new WeightsError(source.file, `byte ${header}`, `expected the header of "${name}"`);
  }
  return header + 30 + view.getUint16(26, true) + view.getUint16(28, true);
}

/** Sizes and offset of an entry, those of 0xffffffff taken from its zip64 field. */
function wideFields(
  view: DataView,
  start: number,
  length: number,
  narrow: readonly [number, number, number],
): [number, number, number] | undefined {
  const fields: [number, number, number] = [...narrow];
  if (narrow.every((value) => value !== 0xffffffff)) return fields;
  for (let at = start; at + 4 <= start + length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let from = at + 4;
    const end = Math.min(from + view.getUint16(at + 2, true), start + length);
    for (const [index, value] of narrow.entries()) {
      if (value !== 0xffffffff) continue;
      const wide = from + 8 <= end ? wideNumber(view, from) : undefined;
      if (wide === undefined) return undefined;
      fields[index] = wide;
      from += 8;
    }
    return fields;
  }
  return undefined;
}

function wideNumber(view: DataView, at: number): number | undefined {
  const value = view.getBigUint64(at, true);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}

function checkName(file: string, place: string, name: string): void {
  if (name === "" || /^[/\\]|^[a-zA-Z]:|\\|\0/.test(name) || name.split("/").includes("..")) {
    throw new WeightsError(file, place, `the entry's name ${JSON.stringify(name)} leaves the archive`);
  }
}
