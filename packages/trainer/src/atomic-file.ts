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

/** Writes a whole file or nothing: readers see the old content or the new, also after a crash. Makes missing folders. */
export async function writeFileAtomic(path: string, data: string | Uint8Array | readonly Uint8Array[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
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
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Writes JSON with two spaces and a last newline, atomically. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
