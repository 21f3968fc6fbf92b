import { utf8Bytes } from "../bytes/encoding.ts";
import type { Destination } from "./destination.ts";
import { writeProblem } from "./write-problem.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Keeps what is written in memory: the parts of each file by its path. */
export function memory(): { readonly destination: Destination; readonly files: ReadonlyMap<string, readonly Bytes[]> } {
  const files = new Map<string, readonly Bytes[]>();
  const destination = keeping(async (path, parts) => void files.set(path, parts));
  return { destination, files };
}

/**
 * Writes into a folder of a page, such as that of `navigator.storage.getDirectory()`. Each file appears whole or not at all; a folder
 * with several files, one file after the other.
 */
export function within(root: FileSystemDirectoryHandle): Destination {
  return keeping(async (path, parts) => {
    const names = path.split("/").filter((name) => name !== "");
    let folder = root;
    for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create: true });
    const handle = await folder.getFileHandle(names.at(-1)!, { create: true });
    const stream = await handle.createWritable();
    try {
      for (const part of parts) await stream.write(part);
      await stream.close();
    } catch (error) {
      await stream.abort().catch(() => undefined);
      throw error;
    }
  });
}

/** A destination that gets each file when all of it is in memory. */
function keeping(put: (path: string, parts: readonly Bytes[]) => Promise<void>): Destination {
  const guarded = async (path: string, work: () => Promise<number>): Promise<number> =>
    work().catch((error: unknown) => {
      throw writeProblem(path, error);
    });
  return {
    file: (path, fill) =>
      guarded(path, async () => {
        const parts: Bytes[] = [];
        let position = 0;
        fill({
          get position() {
            return position;
          },
          write(bytes) {
            // Writers may use their buffer again.
            parts.push(bytes.slice());
            position += bytes.byteLength;
          },
        });
        await put(path, parts);
        return position;
      }),
    folder: (path, fill) =>
      guarded(path, async () => {
        let total = 0;
        await fill({
          path: undefined,
          async write(name, content) {
            const parts = (typeof content === "string" ? [utf8Bytes(content)] : content).map((part) => part.slice());
            await put(`${path}/${name}`, parts);
            total += parts.reduce((sum, part) => sum + part.byteLength, 0);
          },
        });
        return total;
      }),
  };
}
