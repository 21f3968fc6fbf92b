import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";

/** The bytes of each library, by its path relative to a folder. */
export type LibrarySizes = Readonly<Record<string, number>>;

/** The sizes of the libraries below a folder, for its manifest. */
export async function librarySizes(folder: string): Promise<LibrarySizes> {
  const names = await librariesIn(folder);
  const sizes = names.map(async (name) => [name, (await stat(path.join(folder, name))).size] as const);
  return Object.fromEntries(await Promise.all(sizes));
}

/**
 * Why the libraries below a folder must not be loaded: one is missing, has not its size, or is cut off, which would end the
 * process with SIGBUS. Undefined if all are whole.
 */
export async function damageOf(folder: string, sizes: LibrarySizes): Promise<string | undefined> {
  for (const [name, expected] of Object.entries(sizes)) {
    const found = await stat(path.join(folder, name)).catch(() => undefined);
    if (found === undefined) return `${name} is missing`;
    if (found.size !== expected) return `${name} has ${found.size} bytes instead of ${expected}`;
  }
  // Manifests of earlier versions have no sizes.
  for (const name of await librariesIn(folder)) {
    if (Object.hasOwn(sizes, name)) continue;
    const missing = await missingBytes(path.join(folder, name));
    if (missing > 0) return `${name} lacks ${missing} bytes at its end`;
  }
  return undefined;
}

/** True for a library that is there and not cut off. */
export async function isWholeLibrary(file: string): Promise<boolean> {
  return (await missingBytes(file).catch(() => 1)) === 0;
}

/** Bytes that an ELF library promises to have and has not; 0 for other files. Reads only its header. */
async function missingBytes(file: string): Promise<number> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const { buffer: header, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
    // 64 bits, little-endian.
    if (bytesRead < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header.readUInt16BE(4) !== 0x0201) return 0;
    const [start, entry, count] = [
      Number(header.readBigUInt64LE(32)),
      header.readUInt16LE(54),
      header.readUInt16LE(56),
    ];
    const sections = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
    const table = Buffer.alloc(entry * count);
    const ends = [sections, start + table.length];
    if (start + table.length <= size) {
      await handle.read(table, 0, table.length, start);
      for (let at = 0; at + 56 <= table.length; at += entry)
        if (table.readUInt32LE(at) === loadedSegment)
          ends.push(Number(table.readBigUInt64LE(at + 8) + table.readBigUInt64LE(at + 32)));
    }
    return Math.max(0, Math.max(...ends) - size);
  } finally {
    await handle.close();
  }
}

/** The type of a program header whose bytes are mapped into memory: PT_LOAD. */
const loadedSegment = 1;

async function librariesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /\.(so(\.\d+)*|dylib|dll)$/.test(name));
}
