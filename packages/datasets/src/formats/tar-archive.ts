import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { Parser } from "tar";
import { DataError, reasonOf } from "../data-error.ts";

/** Reads the wanted files of a tar archive, gzipped or not. `wanted` gets file names without folders. */
export async function readArchive(file: string, wanted: (name: string) => boolean): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const parser = new Parser({
    strict: true,
    filter: (path) => wanted(basename(path)),
    onReadEntry(entry) {
      const chunks: Buffer[] = [];
      entry.on("data", (chunk: Buffer) => chunks.push(chunk));
      entry.on("end", () => found.set(basename(entry.path), Buffer.concat(chunks)));
    },
  });
  try {
    await pipeline(createReadStream(file), parser as unknown as NodeJS.WritableStream);
  } catch (error) {
    throw new DataError(
      `${file}: expected a whole tar archive, but unpacking failed (${reasonOf(error)}); fetch it again`,
    );
  }
  return found;
}
