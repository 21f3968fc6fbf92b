import { type FileError, parseJson as parse } from "@convkit/files";
import type { ByteSource } from "./byte-source.ts";
import { WeightsError } from "../weights-error.ts";

export type JsonObject = { readonly [key: string]: unknown };

/** Parses a whole source as one JSON object. */
export function readJson(source: ByteSource): JsonObject {
  if (source.size > maxBytes)
    throw new WeightsError(source.file, "", `a JSON of ${source.size} bytes is too large (${maxBytes})`);
  return parseJson(new TextDecoder().decode(source.read(0, source.size)), source.file, "");
}

/** Generous: the topology of a model with a thousand layers takes 1 MB. */
const maxBytes = 1 << 26;

/** Parses text as one JSON object. Python writes Infinity, which is read as such, and NaN, which is read as null. */
export function parseJson(text: string, file: string, place: string): JsonObject {
  let value: unknown;
  try {
    value = parse(text, file);
  } catch {
    try {
      const known = text.replace(/([[:,]\s*)-?NaN(?=\s*[\],}])/g, "$1null");
      value = parse(known.replace(/([[:,]\s*-?)Infinity(?=\s*[\],}])/g, "$11e999"), file);
    } catch (error) {
      const { problem } = error as FileError;
      throw new WeightsError(file, place, problem.replace(/\.$/, ""), { cause: error });
    }
  }
  if (!isObject(value)) throw new WeightsError(file, place, "expected a JSON object");
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
