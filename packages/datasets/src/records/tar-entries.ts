import { Header, Pax } from "tar";
import { DataError } from "../data-error.ts";
import { openReader } from "./byte-reader.ts";

/** A file in a tar archive. */
export interface TarEntry {
  readonly name: string;
  /** Offset of its bytes in the archive, and their number. */
  readonly start: number;
  readonly size: number;
  /** Reads its bytes; only before the next entry is asked for. */
  read(): Promise<Buffer>;
}

const block = 512;
const piece = 64 * 1024;
/** The most bytes that a name or another extended header may have, and a file. */
const mostMeta = 2 ** 20;
const mostBytes = 2 ** 29;
const files = new Set(["File", "OldFile", "ContiguousFile"]);
const longPaths = new Set(["NextFileHasLongPath", "OldGnuLongPath"]);
const skipped = new Set(["Directory", "Link", "SymbolicLink", "CharacterDevice", "BlockDevice", "FIFO"]);

/**
 * The files of a tar archive (ustar, GNU, pax; gzipped or not) in their order; contents that are not read are skipped.
 * Throws a DataError with the byte for a damaged or truncated archive, sparse files, and names that lead out of a folder.
 */
export async function* tarEntries(file: string): AsyncGenerator<TarEntry> {
  const { reader } = await openReader(file);
  try {
    yield* entriesOf(file, reader);
  } finally {
    await reader.close();
  }
}

async function* entriesOf(
  file: string,
  reader: Awaited<ReturnType<typeof openReader>>["reader"],
): AsyncGenerator<TarEntry> {
  let pax: Pax | undefined;
  let globalPax: Pax | undefined;
  let longName: string | undefined;
  for (;;) {
    const at = reader.position;
    const bad = (what: string) => new DataError(`${file}: ${what} at byte ${at}; make the archive anew`);
    const bytes = await reader.read(block);
    if (bytes.length < block) throw bad("expected another file or the end mark of a tar archive, but the file ends");
    const header = headerOf(bytes, pax, globalPax);
    if (header === undefined) throw bad("expected the header of a tar archive, found fields that are no numbers");
    if (header.nullBlock) {
      // Reading on also checks the sum at the end of a gzip file.
      for (let rest = await reader.read(piece); rest.length > 0; rest = await reader.read(piece))
        if (rest.some((byte) => byte !== 0))
          throw bad("expected nothing after the end mark of a tar archive, found more");
      return;
    }
    if (!header.cksumValid) throw bad("expected the header of a tar archive, found a wrong checksum");
    const { type, size = -1 } = header;
    if (!Number.isSafeInteger(size) || size < 0) throw bad("expected a file's size in the header");
    const read = async (length: number): Promise<Buffer> => {
      const content = await reader.read(length);
      if (content.length === length) return content;
      throw bad(`a header states ${length} bytes, but the file ends before`);
    };
    const next = at + block + Math.ceil(size / block) * block;
    const toNext = async () => {
      if (!(await reader.skip(next - reader.position)))
        throw bad(`a header states ${size} bytes, but the file ends before`);
    };
    if (
      type === "ExtendedHeader" ||
      type === "OldExtendedHeader" ||
      type === "GlobalExtendedHeader" ||
      longPaths.has(type)
    ) {
      if (size > mostMeta) throw bad(`a name or extended header of ${size} bytes is too long`);
      const text = (await read(size)).toString("utf8");
      if (text.includes("GNU.sparse")) throw bad("a sparse file cannot be read");
      if (longPaths.has(type)) longName = text.replace(/\0.*/s, "");
      else if (type === "GlobalExtendedHeader") globalPax = Pax.parse(text, globalPax, true);
      else pax = Pax.parse(text, pax);
      await toNext();
      continue;
    }
    if (type === "NextFileHasLongLinkpath") {
      await toNext();
      continue;
    }
    const name = longName ?? header.path ?? "";
    [pax, longName] = [undefined, undefined];
    if (files.has(type)) {
      checkName(file, name, at);
      if (size > mostBytes) throw bad(`${JSON.stringify(name)} states ${size} bytes, more than ${mostBytes}`);
      yield { name, start: at + block, size, read: () => read(size) };
    } else if (!skipped.has(type)) throw bad(`an entry of the type ${type} cannot be read`);
    await toNext();
  }
}

function headerOf(bytes: Buffer, pax: Pax | undefined, globalPax: Pax | undefined): Header | undefined {
  try {
    return new Header(bytes, 0, pax, globalPax);
  } catch {
    return undefined;
  }
}

/** Names only group files here, but an archive with such names is not to be unpacked by other programs either. */
function checkName(file: string, name: string, at: number): void {
  const leaves = name.startsWith("/") || name.split("/").includes("..") || name.includes("\0");
  if (leaves || name === "")
    throw new DataError(`${file}: expected names inside of a folder, got ${JSON.stringify(name)} at byte ${at}`);
}
