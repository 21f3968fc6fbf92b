import { memorySource } from "./byte-source.ts";
import type { ByteSource, FileFolder } from "./byte-source.ts";
import { WeightsError } from "../weights-error.ts";

/** A file with the folder that it lies in, or a folder. */
export interface FoundFile {
  /** For errors. */
  readonly name: string;
  readonly isFolder: boolean;
  /** The folder, or the one that the file lies in. */
  readonly folder: FileFolder;
  /** Opens the file; throws a `WeightsError` for a folder. */
  open(): ByteSource;
}

/** Says which files must be in memory before a reader can go on. `withFiles` fetches them; users do not see it. */
export class FilesNeeded extends WeightsError {
  readonly fetch: () => Promise<void>;

  constructor(path: string, names: readonly string[], fetch: () => Promise<void>) {
    super(path, "", `${names.join(", ")} must be fetched first`);
    this.fetch = fetch;
  }
}

export interface FetchedFolder {
  readonly path: string;
  /** The names of all its files; undefined for a server, which has no list of them. */
  readonly names?: ReadonlySet<string>;
  /** The name of a file in errors. */
  nameOf(name: string): string;
  /** The bytes of a file; throws a `WeightsError` if there is none. */
  fetch(name: string): Promise<Uint8Array>;
}

/**
 * A folder whose files come asynchronously, for readers that are synchronous: the first call for a file throws, `withFiles` fetches
 * the file, and the reader runs again. Files stay in memory as long as the folder does.
 */
export function fetchedFolder({ path, names, nameOf, fetch }: FetchedFolder): FileFolder {
  const fetched = new Map<string, Uint8Array>();
  const expect = (wanted: readonly string[]): void => {
    const missing = [...new Set(wanted)].filter((name) => !fetched.has(name));
    if (missing.length === 0) return;
    throw new FilesNeeded(path, missing, async () => {
      const files = await Promise.all(missing.map(fetch));
      for (const [index, name] of missing.entries()) fetched.set(name, files[index]!);
    });
  };
  const within = (prefix: string): FileFolder => ({
    path: prefix === "" ? path : nameOf(prefix.slice(0, -1)),
    has: (name) => names?.has(`${prefix}${name}`) ?? fetched.has(`${prefix}${name}`),
    open(name) {
      const whole = `${prefix}${name}`;
      expect([whole]);
      return memorySource(fetched.get(whole)!, nameOf(whole), within(whole.slice(0, whole.lastIndexOf("/") + 1)));
    },
    expect: (wanted) => expect(wanted.map((name) => `${prefix}${name}`)),
  });
  return within("");
}

/** Runs a reader, and again after each fetch of the files that it needs. */
export async function withFiles<T>(read: () => T | Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof FilesNeeded)) throw error;
      await error.fetch();
    }
  }
}

/** Whether a path stays within its folder: it is not absolute, and `..` never leads above. Takes both kinds of slashes. */
export function staysInside(path: string): boolean {
  if (/^([/\\]|[a-zA-Z]:)/.test(path)) return false;
  let depth = 0;
  for (const part of path.split(/[/\\]/)) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return false;
  }
  return true;
}
