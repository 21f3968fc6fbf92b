import type { ByteSource } from "./byte-source.ts";
import { latin1Text, utf8Text } from "./encoding.ts";

/** An entry of a zip archive, as the directory at the archive's end states it. */
export interface DirectoryEntry {
  readonly name: string;
  /** Zip's number of the packer: 0 for stored bytes. */
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly crc32: number;
  readonly packedSize: number;
  readonly size: number;
  /** Where the entry's header begins. */
  readonly header: number;
}

const endSize = 22;
const longestComment = 0xffff;
const allSet32 = 0xffff_ffff;
const allSet16 = 0xffff;

/** Where the directory of a zip archive lies, and how many entries it states. */
export interface DirectoryPlace {
  readonly count: number;
  readonly start: number;
  readonly size: number;
  /** Bytes before the archive, such as a program that unpacks it: its places do not count them. */
  readonly before: number;
}

/**
 * Finds the directory of a zip archive, zip64 too. Throws an Error for what is no archive.
 * Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16.
 */
export function findDirectory(source: ByteSource): DirectoryPlace {
  const tailSize = Math.min(source.size, endSize + longestComment);
  const tailStart = source.size - tailSize;
  const tail = source.read(tailStart, tailSize);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  for (let at = tailSize - endSize; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    const comment = view.getUint16(at + 20, true);
    if (at + endSize + comment !== tailSize)
      throw new Error(`its last record is followed by ${tailSize - at - endSize} bytes, but states ${comment}`);
    if (view.getUint16(at + 4, true) !== 0 && view.getUint16(at + 4, true) !== allSet16)
      throw new Error("it is one of several parts of an archive, which are not read");
    const stated = {
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      start: view.getUint32(at + 16, true),
    };
    const isZip64 = stated.count === allSet16 || stated.size === allSet32 || stated.start === allSet32;
    const end = tailStart + at;
    const place = findZip64(source, end, isZip64) ?? { ...stated, end };
    if (place.start + place.size > place.end)
      throw new Error(
        `its directory overflows file bounds: ${place.size} bytes from byte ${place.start} of ${source.size}`,
      );
    const { count, size, start } = place;
    const before = signatureAt(source, start) === directorySignature ? 0 : place.end - size - start;
    return { count, size, start: start + before, before };
  }
  throw new Error("it has no directory at its end: it is cut off, or no zip archive");
}

const directorySignature = 0x02014b50;

function signatureAt(source: ByteSource, place: number): number | undefined {
  return place >= 0 && place + 4 <= source.size ? viewOf(source, place, 4).getUint32(0, true) : undefined;
}

/** Whether a file ends with the directory of a zip archive, whatever it begins with. */
export function endsAsZip(source: ByteSource): boolean {
  try {
    return signatureAt(source, findDirectory(source).start) === directorySignature;
  } catch {
    return false;
  }
}

interface StatedPlace {
  readonly count: number;
  readonly size: number;
  readonly start: number;
  /** Where the record is that states it: the directory ends there. */
  readonly end: number;
}

/**
 * The place that the zip64 record states; undefined if there is no such record. `isNeeded`: whether the
 * fields of the usual record, of 16 and 32 bits, cannot hold the numbers.
 */
function findZip64(source: ByteSource, end: number, isNeeded: boolean): StatedPlace | undefined {
  const [locatorSize, recordSize] = [20, 56];
  if (end < locatorSize) return undefined;
  const locator = viewOf(source, end - locatorSize, locatorSize);
  if (locator.getUint32(0, true) !== 0x07064b50) return undefined;
  // Bytes before the archive are not in the stated place. The record then lies just before its locator.
  const stated = isNeeded ? wholeNumber(locator, 8) : end - locatorSize - recordSize;
  const place = signatureAt(source, stated) === 0x06064b50 ? stated : end - locatorSize - recordSize;
  if (place < 0 || signatureAt(source, place) !== 0x06064b50) throw new Error("its zip64 record has another signature");
  const record = viewOf(source, place, recordSize);
  return { count: wholeNumber(record, 32), size: wholeNumber(record, 40), start: wholeNumber(record, 48), end: place };
}

/**
 * The entries of a directory, one after the other. Throws an Error for an entry that is cut off, and for a name that is absolute, climbs
 * out of the archive or has backslashes.
 */
export function* directoryEntries(
  source: ByteSource,
  { count, start, size, before }: DirectoryPlace,
): Generator<DirectoryEntry> {
  const bytes = source.read(start, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > size) throw new Error("its directory ends too early");
    if (view.getUint32(at, true) !== directorySignature)
      throw new Error("its entry in the directory has another signature");
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [
      number,
      number,
      number,
    ];
    const next = at + 46 + nameSize + extraSize + commentSize;
    if (next > size) throw new Error("its directory ends too early");
    const flags = view.getUint16(at + 8, true);
    const rawName = bytes.subarray(at + 46, at + 46 + nameSize);
    const name = (flags & 0x800) === 0 ? cp437Text(rawName) : utf8Text(rawName);
    checkName(name);
    const extra = new DataView(bytes.buffer, bytes.byteOffset + at + 46 + nameSize, extraSize);
    const sizes = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
    const [plain, packedSize, header] = withZip64(sizes, extra) as [number, number, number];
    const method = view.getUint16(at + 10, true);
    const isEncrypted = (flags & 1) !== 0;
    if (method === 0 && !isEncrypted && packedSize !== plain)
      throw new Error(`"${name}" is stored, but states ${packedSize} bytes for its ${plain}`);
    yield {
      name,
      method,
      isEncrypted,
      crc32: view.getUint32(at + 16, true),
      packedSize,
      size: plain,
      header: header + before,
    };
    at = next;
  }
}

/** Where an entry's bytes begin. Throws an Error if its header is missing, or if its bytes end after the archive. */
export function dataStart(source: ByteSource, { name, header, packedSize }: DirectoryEntry): number {
  const size = 30;
  const view = viewOf(source, header, size);
  if (view.getUint32(0, true) !== 0x04034b50) throw new Error(`the header of "${name}" has another signature`);
  const start = header + size + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + packedSize > source.size)
    throw new Error(`"${name}" overflows file bounds: ${packedSize} bytes from byte ${start} of ${source.size}`);
  return start;
}

/** Sizes and offset, each from the extra field of zip64 where 32 bits do not hold it (APPNOTE.TXT 4.5.3). */
function withZip64(stated: readonly number[], extra: DataView): number[] {
  if (!stated.includes(allSet32)) return [...stated];
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const [kind, size] = [extra.getUint16(at, true), extra.getUint16(at + 2, true)];
    if (at + 4 + size > extra.byteLength) throw new Error("an extra field ends after its entry");
    if (kind === 1) {
      let field = at + 4;
      return stated.map((value) => {
        if (value !== allSet32) return value;
        if (field + 8 > at + 4 + size) throw new Error("its zip64 field ends too early");
        field += 8;
        return wholeNumber(extra, field - 8);
      });
    }
    at += 4 + size;
  }
  return [...stated];
}

function viewOf(source: ByteSource, start: number, size: number): DataView {
  const bytes = source.read(start, size);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function wholeNumber(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`a size or place of ${value} cannot be true`);
  return Number(value);
}

function checkName(name: string): void {
  if (name.includes("\\")) throw new Error(`"${name}" has a backslash in its name`);
  if (/^[a-zA-Z]:/.test(name) || name.startsWith("/")) throw new Error(`"${name}" is an absolute path`);
  if (name.split("/").includes("..")) throw new Error(`"${name}" is an invalid relative path`);
}

/** The upper half of code page 437, which names are in unless their entry says UTF-8 (APPNOTE.TXT, appendix D). */
const cp437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

function cp437Text(bytes: Uint8Array): string {
  return latin1Text(bytes).replaceAll(/[\u0080-\u00ff]/gu, (letter) => cp437[letter.charCodeAt(0) - 128]!);
}
