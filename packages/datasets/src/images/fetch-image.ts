import { DataError } from "../data-error.ts";

/** The answer of an address. Throws a DataError if it is none of success. */
async function answerOf(address: string | URL): Promise<Response> {
  const response = await fetch(address);
  if (response.ok) return response;
  await response.body?.cancel();
  throw new DataError(`its address answers ${response.status}`);
}

/** The bytes at an address. */
export async function fetchWhole(address: string | URL): Promise<Uint8Array> {
  return new Uint8Array(await (await answerOf(address)).arrayBuffer());
}

/** The first `count` bytes at an address, or fewer if there are no more; the rest is not fetched. */
export async function fetchStart(address: string | URL, count: number): Promise<Uint8Array> {
  const { body } = await answerOf(address);
  const start = new Uint8Array(count);
  let length = 0;
  if (body === null) return start.subarray(0, 0);
  const reader = body.getReader();
  while (length < count) {
    const { done, value } = await reader.read();
    if (done) break;
    const part = value.subarray(0, count - length);
    start.set(part, length);
    length += part.length;
  }
  await reader.cancel();
  return start.subarray(0, length);
}
