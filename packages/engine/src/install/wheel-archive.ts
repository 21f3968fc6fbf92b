import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";

import yauzl, { type Entry, type ZipFile } from "yauzl";

import { EngineError } from "../engine-error.ts";

/** A zip file whose entries are read by name. */
export interface Archive {
  names: readonly string[];
  text(name: string): Promise<string>;
  /** Streams one entry into a file; throws an EngineError if the archive has no such entry. */
  extract(name: string, file: string, signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** Opens a wheel; reads its table of contents only. */
export async function openArchive(file: string): Promise<Archive> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    yauzl.open(file, { lazyEntries: true, autoClose: false }, (error, opened) =>
      error ? reject(error) : resolve(opened),
    );
  });
  const entries = await readEntries(zip);
  const open = (name: string) =>
    new Promise<Readable>((resolve, reject) => {
      const entry = entries.get(name);
      if (!entry) reject(new EngineError(`${file} has no ${name}.`));
      else zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
    });
  return {
    names: [...entries.keys()],
    text: async (name) => (await buffer(await open(name))).toString(),
    extract: async (name, target, signal) => {
      await mkdir(path.dirname(target), { recursive: true });
      await pipeline(await open(name), createWriteStream(target, { mode: 0o755 }), signal ? { signal } : {});
    },
    close: () => zip.close(),
  };
}

/** Copies the root headers and every header of the archive that they include, directly or not. */
export async function extractHeaders(
  archive: Archive,
  inside: string,
  roots: readonly string[],
  folder: string,
): Promise<void> {
  const known = new Set(archive.names);
  const waiting = [...roots];
  const done = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (done.has(name) || !known.has(inside + name)) continue;
    done.add(name);
    const text = await archive.text(inside + name);
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
    waiting.push(...[...text.matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)].map(([, included]) => included as string));
  }
}

function readEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  return new Promise((resolve, reject) => {
    const entries = new Map<string, Entry>();
    zip.on("entry", (entry: Entry) => {
      entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.once("end", () => resolve(entries));
    zip.once("error", reject);
    zip.readEntry();
  });
}
