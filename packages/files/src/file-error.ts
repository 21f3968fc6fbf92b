import { ConvkitError } from "@convkit/errors";

/** A file or folder that cannot be read, written, fetched or locked: says which, why, and what to do. */
export class FileError extends ConvkitError {
  override readonly name = "FileError";
  readonly code = "CONVKIT_FILE";
  /** The file or folder that was asked for. */
  readonly path: string;
  /** The message without the path. */
  readonly problem: string;
  /** The system's word for it, such as ENOSPC; undefined where the system had no objection. */
  readonly errno: string | undefined;

  constructor(path: string, problem: string, options?: ErrorOptions & { readonly errno?: string | undefined }) {
    super(`${path} ${problem}`, options);
    this.path = path;
    this.problem = problem;
    this.errno = options?.errno;
  }
}

/** The folder of a path; `node:path` has no place in a web page, where this class is used, too. */
function folderOf(path: string): string {
  return /^(.*[^/\\])[/\\]+[^/\\]*$/u.exec(path)?.[1] ?? (/^[/\\]/u.test(path) ? "/" : ".");
}

/** What an errno means for somebody who wanted to write `path`, and what to do about it. */
const meanings: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: () => "the disk is full; make room, or choose another place",
  EDQUOT: () => "your quota of this disk is used up; make room, or choose another place",
  EROFS: () => "the disk is read-only; choose another place",
  EACCES: () => "this user may not write there; change its permissions, or choose another place",
  EPERM: () => "this user may not write there; change its permissions, or choose another place",
  ENOENT: (path) => `there is no folder ${folderOf(path)}; make it first`,
  ENOTDIR: () => "a part of the path is a file, not a folder; choose another place",
  EEXIST: () => "something else has that name; remove it, or choose another place",
  EISDIR: () => "a folder has that name; remove it, or choose another place",
  ENOTEMPTY: () => "a folder with files has that name; remove it, or choose another place",
  ENAMETOOLONG: () => "the name is too long; choose a shorter one",
  EMFILE: () => "too many files are open; close some, or raise the limit",
  ENFILE: () => "too many files are open; close some, or raise the limit",
};

/** The FileError for whatever went wrong while `path` was written; an error that is a FileError of that path already stays. */
export function unwritable(path: string, error: unknown): FileError {
  if (error instanceof FileError && error.path === path) return error;
  const cause = rootOf(error);
  const errno = (cause as NodeJS.ErrnoException).code;
  if (errno === undefined) return new FileError(path, `cannot be written: ${messageOf(cause)}.`, { cause: error });
  const meaning = meanings[errno]?.(path) ?? messageOf(cause);
  return new FileError(path, `cannot be written (${errno}): ${meaning}.`, { cause: error, errno });
}

/** The first error of a chain of FileErrors: that of the system. */
function rootOf(error: unknown): unknown {
  return error instanceof FileError && error.cause !== undefined ? rootOf(error.cause) : error;
}

/** The message of anything thrown, without the period that ends our sentences. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().replace(/\.$/, "");
}

/** The errno of a system's error, such as ENOENT; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && !(error instanceof ConvkitError) ? (error as NodeJS.ErrnoException).code : undefined;
}
