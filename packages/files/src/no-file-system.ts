import { FileError } from "./file-error.ts";

/** The error of everything in a web page that would read or write a file. */
export function noFileSystem(path: unknown): FileError {
  return new FileError(String(path), "cannot be read or written: a web page has no file system; leave the path out.");
}
