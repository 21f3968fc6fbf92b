import { OptionError, shown } from "@convkit/errors";
import { findPath } from "@convkit/weights/platform";
import { findAddress } from "./find-address.ts";
import { memorySource } from "../bytes/byte-source.ts";
import { fetchedFolder } from "../bytes/file-folder.ts";
import type { FoundFile } from "../bytes/file-folder.ts";
import { WeightsError } from "../weights-error.ts";

/**
 * Where a model or weights are read from: a path (in a web page an address, relative to the page's), a URL, the bytes of a file, a `Blob`
 * or `File`, the files of a folder (of `<input type="file" webkitdirectory>`, for instance), or a handle of a page's file or folder.
 * What is not a path is read into memory.
 */
export type WeightsSource =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Blob
  | readonly File[]
  | FileList
  | FileSystemFileHandle
  | FileSystemDirectoryHandle;

/** Finds the file or folder of a source. Throws `OptionError` for what is no source, and `WeightsError` if nothing is there. */
export async function findSource(where: string, source: WeightsSource): Promise<FoundFile> {
  if (typeof source === "string" && source !== "") return findPath(source);
  if (source instanceof URL) return source.protocol === "file:" ? findPath(source) : findAddress(source);
  if (source instanceof ArrayBuffer) return inMemory(new Uint8Array(source), "(bytes)");
  if (ArrayBuffer.isView(source))
    return inMemory(new Uint8Array(source.buffer, source.byteOffset, source.byteLength), "(bytes)");
  if (source instanceof Blob) return blobFile(source);
  if (isHandle(source)) return source.kind === "file" ? blobFile(await source.getFile()) : handleFolder(source);
  const files = isList(source) ? [...source] : [];
  if (files.length === 0 || !files.every((file) => file instanceof Blob))
    throw new OptionError(
      `${where}: expected the path of a file or folder, a URL, bytes, a Blob or a list of Files, got ${shown(source)}.`,
    );
  return files.length === 1 ? blobFile(files[0]!) : filesFolder(files);
}

function isList(source: unknown): source is Iterable<File> {
  return typeof source === "object" && source !== null && Symbol.iterator in source;
}

function isHandle(source: unknown): source is FileSystemFileHandle | FileSystemDirectoryHandle {
  const { kind } = (source ?? {}) as { kind?: unknown };
  return kind === "file" || kind === "directory";
}

function inMemory(bytes: Uint8Array, name: string): FoundFile {
  const folder = fetchedFolder({
    path: name,
    names: new Set([name]),
    nameOf: (file) => file,
    fetch: (file) => Promise.reject(missing(name, file)),
  });
  return { name, isFolder: false, folder, open: () => memorySource(bytes, name, folder) };
}

function missing(source: string, file: string): WeightsError {
  return new WeightsError(source, "", `needs ${file}, which was not given: give all files of its folder`);
}

async function blobFile(blob: Blob): Promise<FoundFile> {
  const name = blob instanceof File && blob.name !== "" ? blob.name : "(blob)";
  return inMemory(await bytesOf(blob, name), name);
}

async function bytesOf(blob: Blob, name: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (error) {
    throw new WeightsError(name, "", `of ${blob.size} bytes cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The files of one folder. Their paths within it are known if they were chosen as a folder. */
function filesFolder(files: readonly File[]): FoundFile {
  const paths = files.map((file) => file.webkitRelativePath || file.name);
  const top = paths[0]!.split("/")[0]!;
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined)
    throw new WeightsError("(files)", "", `two of them are called ${shown(twice)}: give the files of one folder`);
  const isWhole = paths.every((path) => path.startsWith(`${top}/`));
  const byName = new Map(paths.map((path, index) => [isWhole ? path.slice(top.length + 1) : path, files[index]!]));
  return namedFolder(isWhole ? top : "(files)", new Map([...byName].map(([name, file]) => [name, async () => file])));
}

async function handleFolder(handle: FileSystemDirectoryHandle): Promise<FoundFile> {
  const found = new Map<string, () => Promise<File>>();
  const list = async (folder: FileSystemDirectoryHandle, prefix: string): Promise<void> => {
    for await (const [name, each] of folder.entries()) {
      if (each.kind === "file") found.set(`${prefix}${name}`, () => (each as FileSystemFileHandle).getFile());
      else await list(each as FileSystemDirectoryHandle, `${prefix}${name}/`);
    }
  };
  await list(handle, "");
  return namedFolder(handle.name === "" ? "(folder)" : handle.name, found);
}

const mainFiles = /(\.index\.json|\.weights\.json|\.onnx)$/;

/** A folder of files. If one of them names the others, it is that file with what lies beside it. */
function namedFolder(path: string, files: ReadonlyMap<string, () => Promise<File>>): FoundFile {
  const nameOf = (name: string): string => `${path}/${name}`;
  const folder = fetchedFolder({
    path,
    names: new Set(files.keys()),
    nameOf,
    async fetch(name) {
      const file = files.get(name);
      if (file === undefined) throw missing(path, name);
      return bytesOf(await file(), nameOf(name));
    },
  });
  const mains = [...files.keys()].filter((name) => mainFiles.test(name) && !name.includes("/"));
  const isFolder = mains.length !== 1 || folder.has("model.json") || folder.has("config.json");
  const open = (): ReturnType<FoundFile["open"]> => folder.open(mains[0]!);
  return isFolder ? { name: path, isFolder, folder, open } : { name: nameOf(mains[0]!), isFolder, folder, open };
}
