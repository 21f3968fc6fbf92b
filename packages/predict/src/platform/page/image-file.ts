import { OptionError, shown } from "@convkit/errors";

import { fetchImage } from "../../fetch-image.ts";

/** The bytes of an image; an address is relative to the page's. */
export async function imageFile(image: string | URL | Uint8Array, where: string): Promise<Uint8Array> {
  if (image instanceof Uint8Array) return image;
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  if (!URL.canParse(String(image), base))
    throw new OptionError(`${where}: expected the address of an image, got ${shown(image)}.`);
  return fetchImage(new URL(image, base).href, where);
}
