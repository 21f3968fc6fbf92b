import { OptionError, shown } from "@convkit/errors";

/** The bytes of an image at a web address. Throws an `OptionError` where there is none. */
export async function fetchImage(address: string, where: string): Promise<Uint8Array> {
  const response = await fetch(address).catch((cause: unknown) => {
    throw new OptionError(`${where}: expected an image at ${shown(address)}, but it cannot be reached.`, { cause });
  });
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  throw new OptionError(`${where}: expected an image at ${address}, got the answer ${response.status}.`);
}
