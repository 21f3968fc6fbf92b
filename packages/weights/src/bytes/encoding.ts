/** Text and bytes in each other's form, by what Node and web pages both have. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes; each invalid byte becomes U+FFFD, and a byte order mark stays. */
export function utf8Text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** A character a byte. `TextDecoder` has no such decoding: its "latin1" is windows-1252. */
export function latin1Text(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.byteLength; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** A byte a character: the lower 8 bits of its code. */
export function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
}

export function base64Text(bytes: Uint8Array): string {
  return btoa(latin1Text(bytes));
}

export function base64Bytes(text: string): Uint8Array<ArrayBuffer> {
  return latin1Bytes(atob(text));
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** Orders texts by Unicode code points, as Python and HDF5 do; `<` of JavaScript compares halves of surrogate pairs. */
export function byCodePoints(a: string, b: string): number {
  const [left, right] = [utf8Bytes(a), utf8Bytes(b)];
  const end = Math.min(left.byteLength, right.byteLength);
  for (let at = 0; at < end; at++) if (left[at] !== right[at]) return left[at]! - right[at]!;
  return left.byteLength - right.byteLength;
}
