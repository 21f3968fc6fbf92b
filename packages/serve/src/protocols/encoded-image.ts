import { shown } from "@convkit/errors";
import { RequestError } from "../http/request-error.ts";
import { isObject } from "./json-body.ts";

/** TensorFlow Serving's way to write bytes in JSON: `{"b64": "…"}`. */
export function isEncoded(value: unknown): value is { readonly b64: unknown } {
  return isObject(value) && Object.hasOwn(value, "b64") && Object.keys(value).length === 1;
}

/** The bytes of an image file that stands in JSON as `{"b64": "…"}`. */
export function encodedImage(value: unknown, where: string): Uint8Array<ArrayBuffer> {
  if (isEncoded(value)) return base64Bytes(value.b64, `${where}.b64`);
  throw new RequestError(400, `${where}: expected {"b64": …}, as the first one is, got ${shown(value)}.`);
}

/** Bytes in base64, RFC 4648's alphabet or its URL-safe one. */
export function base64Bytes(text: unknown, where: string): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string" || !/^[\w+/-]+={0,2}$/.test(text))
    throw new RequestError(400, `${where}: expected bytes in base64, got ${shown(text)}.`);
  // A copy of its own: small Buffers share memory.
  return new Uint8Array(Buffer.from(text, "base64"));
}
