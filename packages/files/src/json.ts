import { open } from "node:fs/promises";
import { checkOptions, type OptionNames } from "@convkit/errors";
import { writeFileAtomic } from "./atomic-file.ts";
import { FileError, errnoOf, messageOf } from "./file-error.ts";
import { type JsonLimits, type JsonValue, parseJson, tooLarge } from "./parse-json.ts";

const limitNames: OptionNames<JsonLimits> = { maxBytes: true, maxDepth: true };

/**
 * Reads a JSON file. Throws a FileError that names the file where it cannot be read, is larger or deeper than the limits allow, or
 * is not JSON.
 */
export async function readJson(path: string, limits: JsonLimits = {}): Promise<JsonValue> {
  checkOptions("readJson", limits, limitNames);
  const { maxBytes = 64 << 20 } = limits;
  let bytes: Buffer;
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size > maxBytes) throw tooLarge(path, maxBytes, size);
      bytes = await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    const missing = errnoOf(error) === "ENOENT";
    throw new FileError(path, missing ? "does not exist." : `cannot be read: ${messageOf(error)}.`, {
      cause: error,
      errno: errnoOf(error),
    });
  }
  // A file that grows, or a pipe, tells no size beforehand.
  if (bytes.byteLength > maxBytes) throw tooLarge(path, maxBytes, bytes.byteLength);
  return parseJson(bytes, path, limits);
}

/** Writes JSON with two spaces and a last newline, whole or not at all. Throws a FileError that names `path`. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
