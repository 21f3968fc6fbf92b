import { fileAt } from "@convkit/datasets/platform";
import { shown } from "@convkit/errors";
import { DataError } from "../data-error.ts";

/** A file and where it lies among the others, such as `cat/1.jpg`. */
export interface NamedFile {
  readonly path: string;
  readonly file: Blob;
}

/**
 * Files in place of a folder's path: those of `<input type="file" webkitdirectory>`, a handle of a page's folder, files with their paths, or
 * the addresses of all files (a text is a path, in a web page an address relative to the page's).
 */
export type DataFiles =
  | FileList
  | readonly File[]
  | readonly NamedFile[]
  | readonly (string | URL)[]
  | FileSystemDirectoryHandle;

/** Files by their paths, and the folder that they lie in. */
export interface GivenFiles {
  readonly root: string;
  readonly contents: ReadonlyMap<string, Blob | URL>;
}

/** Finds the files that `loadData` was given. Throws a DataError for what are none, and for two of one path. */
export async function givenFiles(given: DataFiles): Promise<GivenFiles> {
  if (isFolderHandle(given)) {
    const found: Found[] = [];
    for await (const file of filesOf(given, [given.name])) found.push(file);
    return gathered(found, [given.name]);
  }
  const files = isList(given) ? [...given] : [];
  if (files.length === 0) throw notFiles(isList(given) ? "an empty list" : shown(given));
  if (files.every((each) => each instanceof Blob)) {
    const found = (files as readonly File[]).map((file) => ({
      parts: partsOf(file.webkitRelativePath || file.name),
      content: file,
    }));
    // A folder that was picked is the first name of all paths.
    const [first] = found[0]!.parts;
    const isPicked = found.every(({ parts }) => parts.length > 1 && parts[0] === first);
    return gathered(found, isPicked ? [first!] : []);
  }
  if (files.every(isNamedFile))
    return gathered(
      files.map(({ path, file }) => ({ parts: partsOf(path), content: file })),
      [],
    );
  if (files.every((each) => typeof each === "string" || each instanceof URL)) {
    const found = files.map((each) => addressed(each instanceof URL ? each : fileAt(each)));
    return gathered(found, commonFolders(found));
  }
  throw notFiles("a list of several kinds");
}

interface Found {
  /** The names of the folders, and of the file. */
  readonly parts: readonly string[];
  readonly content: Blob | URL;
}

/** The files by their paths from the last one of the folders `root`, which all of them lie in. */
function gathered(found: readonly Found[], root: readonly string[]): GivenFiles {
  const contents = new Map<string, Blob | URL>();
  for (const { parts, content } of found) {
    const path = parts.slice(Math.max(0, root.length - 1)).join("/");
    if (contents.has(path)) throw new DataError(`loadData: two files have the path ${path}; expected one of each path`);
    contents.set(path, content);
  }
  return { root: root.at(-1) ?? "", contents };
}

async function* filesOf(folder: FileSystemDirectoryHandle, parts: readonly string[]): AsyncGenerator<Found> {
  for await (const [name, handle] of folder.entries()) {
    if (name.startsWith(".")) continue;
    if (handle.kind === "directory") yield* filesOf(handle as FileSystemDirectoryHandle, [...parts, name]);
    else yield { parts: [...parts, name], content: await (handle as FileSystemFileHandle).getFile() };
  }
}

function addressed(address: URL): Found {
  const parts = address.pathname.split("/").slice(1).map(decoded);
  const isPath = /^(?:https?|file):$/.test(address.protocol);
  if (isPath && parts.at(-1) !== "") return { parts, content: address };
  throw new DataError(
    `loadData: ${address.href.slice(0, 200)} names no file; expected the address of each file, such as https://host/cat/1.jpg`,
  );
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The folders that all files lie in. */
function commonFolders(found: readonly Found[]): string[] {
  const folders = found[0]!.parts.slice(0, -1);
  const length = folders.findIndex((name, place) =>
    found.some(({ parts }) => place >= parts.length - 1 || parts[place] !== name),
  );
  return length < 0 ? [...folders] : folders.slice(0, length);
}

function partsOf(path: string): string[] {
  return path.split(/[/\\]/).filter((part) => part !== "" && part !== ".");
}

function isList(given: unknown): given is Iterable<unknown> {
  return typeof given === "object" && given !== null && Symbol.iterator in given;
}

function isFolderHandle(given: unknown): given is FileSystemDirectoryHandle {
  return (given as FileSystemDirectoryHandle | null | undefined)?.kind === "directory";
}

function isNamedFile(given: unknown): given is NamedFile {
  const { path, file } = (given ?? {}) as Partial<NamedFile>;
  return typeof path === "string" && partsOf(path).length > 0 && file instanceof Blob;
}

function notFiles(got: string): DataError {
  return new DataError(
    `loadData: expected Files, a list of { path, file }, the addresses of files or a handle of a folder, got ${got}`,
  );
}
