import { fileURLToPath } from "node:url";

import { fetchImage } from "../fetch-image.ts";

/** A path or the bytes of a file; what a web address names is fetched. */
export async function imageFile(image: string | URL | Uint8Array, where: string): Promise<string | Uint8Array> {
  if (image instanceof Uint8Array) return image;
  const address = String(image);
  if (address.startsWith("file:")) return fileURLToPath(address);
  return /^(https?|data):/.test(address) ? fetchImage(address, where) : address;
}
