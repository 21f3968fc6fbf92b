import { RequestError } from "../http/request-error.ts";

/** A JSON object from the bytes of a request. */
export function jsonObject(bytes: Uint8Array, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new RequestError(400, `${where}: expected JSON, got ${(error as Error).message.replaceAll(/\s+/g, " ")}.`);
  }
  if (isObject(value)) return value;
  throw new RequestError(
    400,
    `${where}: expected a JSON object, got ${Array.isArray(value) ? "an array" : String(value)}.`,
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Throws for keys that would be ignored. */
export function checkKeys(object: Record<string, unknown>, known: readonly string[], where: string): void {
  const unknown = Object.keys(object).filter((key) => !known.includes(key));
  if (unknown.length === 0) return;
  const named = unknown.slice(0, 5).map((key) => `"${key.slice(0, 40)}"`);
  throw new RequestError(400, `${where}: expected ${known.join(", ")}, got ${named.join(", ")}.`);
}
