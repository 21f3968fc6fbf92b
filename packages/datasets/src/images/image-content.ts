import { readSpan, readStart, readWhole } from "@convkit/datasets/platform";
import { DataError } from "../data-error.ts";
import type { ImageSource } from "./image-source.ts";

/** The encoded image's bytes. Throws a DataError if there are none, or if the file is shorter than it was. */
export async function contentOf(source: ImageSource): Promise<Uint8Array> {
  return someOf(source, await bytesOf(source));
}

/** The first `count` bytes of the encoded image, or fewer if there are no more. Throws a DataError if there are none. */
export async function startOf(source: ImageSource, count: number): Promise<Uint8Array> {
  return someOf(source, await startBytesOf(source, count));
}

/** The bytes. Throws a DataError if there are none. */
function someOf(source: ImageSource, bytes: Uint8Array): Uint8Array {
  if (bytes.length > 0) return bytes;
  throw new DataError(typeof source === "string" || "content" in source ? "the file is empty" : "it has no bytes");
}

async function bytesOf(source: ImageSource): Promise<Uint8Array> {
  if (typeof source === "string") return readWhole(source);
  if ("bytes" in source) return source.bytes;
  if (!("content" in source)) return readSpan(source);
  const { content } = source;
  return content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : readWhole(content);
}

async function startBytesOf(source: ImageSource, count: number): Promise<Uint8Array> {
  if (typeof source === "string") return readStart(source, count);
  if (!("content" in source)) return (await bytesOf(source)).subarray(0, count);
  const { content } = source;
  return content instanceof Blob
    ? new Uint8Array(await content.slice(0, count).arrayBuffer())
    : readStart(content, count);
}
