import type { ByteSource } from "../../bytes/byte-source.ts";
import { WeightsError } from "../../weights-error.ts";
import { readAttributes } from "./attributes.ts";
import type { Hdf5Value } from "./attributes.ts";
import { openDataset } from "./dataset.ts";
import type { Hdf5Dataset } from "./dataset.ts";
import { lookup3 } from "./checksum.ts";
import { Hdf5Bytes, undefinedAddress } from "./bytes.ts";
import { readLinks } from "./links.ts";
import { readMessages } from "./object-header.ts";
import type { Hdf5Context, HeaderMessage } from "./object-header.ts";

export interface Hdf5Group {
  readonly kind: "group";
  /** The path from the root; `""` for the root itself. */
  readonly path: string;
  readonly attributes: ReadonlyMap<string, Hdf5Value>;
  /** The names of the members, sorted by bytes as HDF5 does. */
  readonly names: readonly string[];
  /** The member with this name or path (`a/b/c`); undefined if there is none. */
  get(path: string): Hdf5Group | Hdf5Dataset | undefined;
}

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const structureLimit = 1_000_000;
const structureBytes = 1 << 28;
const textBytes = 1 << 27;
/** Limit on the unpacked size of all datasets: this many times the file, or this many bytes, whichever is more. */
const growthLimit = 20;
const growthFloor = 1 << 28;

/** Whether the bytes begin as an HDF5 file does. */
export function isHdf5(source: ByteSource): boolean {
  return source.size >= 8 && signature.every((byte, index) => source.read(0, 8)[index] === byte);
}

/** Whether an HDF5 file begins after a user block of 512 bytes, or twice as many, and so on. */
export function hasUserBlock(source: ByteSource): boolean {
  return superblockPlace(source) !== undefined;
}

/**
 * Opens the root group of an HDF5 file. Groups, attributes and tensors are read on demand. Supports the output of h5py
 * with any libver: old and new groups and attributes, contiguous, compact and chunked data by every index (deflate,
 * shuffle, fletcher32, LZF). Format: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
 */
export function openHdf5(source: ByteSource): Hdf5Group {
  const start = findSuperblock(source);
  const superblock = Hdf5Bytes.read(source, start, Math.min(128, source.size - start));
  superblock.skip(8);
  const version = superblock.u8();
  let root: number;
  let offsetSize: number;
  let lengthSize: number;
  let base: number;
  let end: number;
  if (version <= 1) {
    superblock.skip(4);
    [offsetSize, lengthSize] = [superblock.u8(), superblock.u8()];
    superblock.skip(version === 1 ? 13 : 9);
    checkSizes(superblock, offsetSize, lengthSize);
    base = superblock.uint(offsetSize);
    superblock.skip(offsetSize);
    end = superblock.uint(offsetSize);
    superblock.skip(2 * offsetSize);
    root = superblock.uint(offsetSize);
  } else if (version <= 3) {
    [offsetSize, lengthSize] = [superblock.u8(), superblock.u8()];
    superblock.skip(1);
    checkSizes(superblock, offsetSize, lengthSize);
    base = superblock.uint(offsetSize);
    superblock.skip(offsetSize);
    end = superblock.uint(offsetSize);
    root = superblock.uint(offsetSize);
    const [computed, stored] = [lookup3(superblock.bytes.subarray(0, superblock.at)), superblock.u32()];
    if (stored !== computed) superblock.fail(`is damaged: expected the checksum ${stored}, got ${computed}`);
  } else {
    return superblock.fail(`HDF5 superblock version ${version} is not known (0 to 3)`);
  }
  if (base < 0 || end > source.size)
    superblock.fail(`the file should have ${end} bytes, but has ${source.size}: it was cut off`);
  const context: Hdf5Context = {
    source,
    base,
    offsetSize,
    lengthSize,
    count: counter(source),
    objects: new Set(),
    heaps: new Map(),
  };
  return groupOf(context, openObject(context, root, ""), "", 0);
}

/** Counts the bytes read and throws if they exceed what a file of weights needs. */
function counter(source: ByteSource): Hdf5Context["count"] {
  let structures = 0;
  const total = { structure: 0, text: 0, data: 0 };
  return (what, bytes, place) => {
    total[what] += bytes;
    if (what === "structure") structures++;
    const limit = {
      structure: structureBytes,
      text: textBytes,
      data: Math.max(growthFloor, growthLimit * source.size),
    };
    if (structures <= structureLimit && total[what] <= limit[what]) return;
    const problem = {
      structure: "the file leads in circles, or is no file of weights",
      text: `its texts take more than ${textBytes} bytes`,
      data: `all datasets together would need more than ${total.data} bytes, but the file has ${source.size}`,
    };
    throw new WeightsError(source.file, place, problem[what]);
  };
}

function superblockPlace(source: ByteSource): number | undefined {
  for (let start = 0; start + 96 <= source.size; start = start === 0 ? 512 : start * 2) {
    const bytes = source.read(start, 8);
    if (signature.every((byte, index) => bytes[index] === byte)) return start;
  }
  return undefined;
}

function findSuperblock(source: ByteSource): number {
  const place = superblockPlace(source);
  if (place === undefined)
    throw new WeightsError(source.file, "byte 0", "this is no HDF5 file: its signature is missing");
  return place;
}

function checkSizes(superblock: Hdf5Bytes, offsetSize: number, lengthSize: number): void {
  const known = [2, 4, 8];
  if (!known.includes(offsetSize) || !known.includes(lengthSize))
    superblock.fail(`addresses of ${offsetSize} and lengths of ${lengthSize} bytes`);
}

const depthLimit = 64;

/**
 * The messages of an object. Throws for an object opened before: groups that share members could have exponentially
 * many paths.
 */
function openObject(context: Hdf5Context, address: number, path: string): HeaderMessage[] {
  if (context.objects.has(address))
    throw new WeightsError(
      context.source.file,
      `object "${path}"`,
      "is there twice, under another name or within itself",
    );
  context.objects.add(address);
  return readMessages(context, address);
}

function groupOf(context: Hdf5Context, messages: readonly HeaderMessage[], path: string, depth: number): Hdf5Group {
  const links = readLinks(context, messages);
  const attributes = readAttributes(context, messages);
  const opened = new Map<string, Hdf5Group | Hdf5Dataset>();
  const child = (name: string): Hdf5Group | Hdf5Dataset | undefined => {
    const known = opened.get(name);
    const address = links.get(name);
    if (known !== undefined || address === undefined) return known;
    const childPath = path === "" ? name : `${path}/${name}`;
    if (depth >= depthLimit) throw new WeightsError(context.source.file, `object "${childPath}"`, "lies too deep");
    const childMessages = address === undefinedAddress ? [] : openObject(context, address, childPath);
    const isDataset = childMessages.some(({ type }) => type === 0x08);
    const object = isDataset
      ? openDataset(context, childMessages, childPath)
      : groupOf(context, childMessages, childPath, depth + 1);
    opened.set(name, object);
    return object;
  };
  return {
    kind: "group",
    path,
    attributes,
    names: [...links.keys()],
    get(wanted) {
      let object: Hdf5Group | Hdf5Dataset | undefined;
      let from: ((name: string) => Hdf5Group | Hdf5Dataset | undefined) | undefined = child;
      for (const part of wanted.split("/")) {
        if (from === undefined) return undefined;
        object = from(part);
        const group: Hdf5Group | Hdf5Dataset | undefined = object;
        from = group?.kind === "group" ? (name) => group.get(name) : undefined;
      }
      return object;
    },
  };
}
