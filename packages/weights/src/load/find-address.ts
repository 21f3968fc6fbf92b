import { fetchedFolder } from "../bytes/file-folder.ts";
import type { FoundFile } from "../bytes/file-folder.ts";
import { WeightsError } from "../weights-error.ts";

/** A file of a server, and what lies beside it. The query of its address is that of its neighbors, too. */
export function findAddress(address: URL): FoundFile {
  // Nothing lies beside what has no path.
  if (address.protocol === "data:" || address.protocol === "blob:") {
    const name = `(${address.protocol} address)`;
    const alone = fetchedFolder({ path: name, nameOf: () => name, fetch: () => fetchBytes(address) });
    return { name, isFolder: false, folder: alone, open: () => alone.open("file") };
  }
  const file = decoded(address.pathname.split("/").at(-1)!);
  const path = new URL(".", address).href;
  const addressOf = (name: string): URL => {
    if (name === file) return address;
    const beside = new URL(name.split("/").map(encodeURIComponent).join("/"), path);
    beside.search = address.search;
    return beside;
  };
  const folder = fetchedFolder({
    path,
    nameOf: (name) => addressOf(name).href,
    fetch: (name) => fetchBytes(addressOf(name)),
  });
  const open = (): ReturnType<FoundFile["open"]> => {
    if (file !== "") return folder.open(file);
    throw new WeightsError(address.href, "", "is a folder of a server: name the file in it, such as model.json");
  };
  return { name: address.href, isFolder: false, folder, open };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

async function fetchBytes(address: URL): Promise<Uint8Array> {
  try {
    const response = await fetch(address);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    throw new Error(`the server answers ${response.status}${response.statusText && ` ${response.statusText}`}`);
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error && cause.message !== "" ? `${message} (${cause.message})` : message;
    throw new WeightsError(address.href.slice(0, 1000), "", `cannot be fetched: ${reason}`, { cause: error });
  }
}
