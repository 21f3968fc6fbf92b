import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

let counter = 0;

/** A name beside `path` that no other writer uses: what is written there becomes visible by one rename. */
export function temporaryName(path: string): string {
  counter += 1;
  return join(dirname(path), `.${basename(path)}.${process.pid}-${counter}.tmp`);
}

/** Whether something has a name that `temporaryName` made. */
export function isTemporary(name: string): boolean {
  return finalName(name) !== undefined;
}

/** The name that a temporary one was made of; undefined where it is none. */
export function finalName(name: string): string | undefined {
  return /^\.(.+)\.\d+-\d+\.tmp$/.exec(name)?.[1];
}

/**
 * Writes a whole file or nothing: readers see the old content or the new, also after a crash. Makes missing folders.
 * Throws an Error that names the file where it cannot be written.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array | readonly Uint8Array[]): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, "wx");
    try {
      const parts = typeof data === "string" || data instanceof Uint8Array ? [data] : data;
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // Where no file can be, there is none to remove.
    await rm(temporary, { force: true }).catch(() => undefined);
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${path} cannot be written (${code ?? message}).`, { cause: error });
  }
}

/** Writes JSON with two spaces and a last newline, atomically. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
