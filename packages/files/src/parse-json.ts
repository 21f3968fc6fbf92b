import { FileError, messageOf } from "./file-error.ts";

/** What JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface JsonLimits {
  /** The most bytes that the file may have: 64 MiB by default. */
  readonly maxBytes?: number | undefined;
  /** The most objects and arrays inside each other: 200 by default. */
  readonly maxDepth?: number | undefined;
}

/**
 * The value of a JSON text; `path` is the file that it came from. Throws a FileError that names the file where the text is longer or
 * deeper than the limits allow, or is not JSON.
 */
export function parseJson(
  source: string | Uint8Array,
  path: string,
  { maxBytes = 64 << 20, maxDepth = 200 }: JsonLimits = {},
): JsonValue {
  if (source.length > maxBytes) throw tooLarge(path, maxBytes, source.length);
  const text = typeof source === "string" ? source : utf8(source, path);
  if (depthOf(text) > maxDepth)
    throw new FileError(
      path,
      `is no JSON that can be read: expected at most ${maxDepth} objects or arrays inside each other.`,
    );
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new FileError(path, `is not JSON: ${messageOf(error)}.`, { cause: error });
  }
}

/** The decoder drops the byte order mark with which some programs begin a file. */
function utf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FileError(path, "is not JSON: its bytes are no UTF-8 text.", { cause: error });
  }
}

export function tooLarge(path: string, maxBytes: number, bytes: number): FileError {
  return new FileError(path, `is too large for JSON: expected at most ${maxBytes} bytes, got ${bytes}.`);
}

/** The most brackets that are open at once, outside of strings. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === openBracket || code === openBrace) deepest = Math.max(deepest, (depth += 1));
    else if (code === closeBracket || code === closeBrace) depth -= 1;
  }
  return deepest;
}

const [quote, backslash] = [0x22, 0x5c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The place of the quote that ends the string beginning at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash) at += 1;
    else if (code === quote) return at;
  }
  return text.length;
}
