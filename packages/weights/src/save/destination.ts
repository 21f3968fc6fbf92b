import type { ByteSink } from "@convkit/files";

/** Where files are written to: the disk, memory, or a folder that a page was given. */
export interface Destination {
  /** Writes a file, whole or not at all. Returns its bytes; throws a `WeightsError` if it cannot be written. */
  file(path: string, fill: (sink: ByteSink) => void): Promise<number>;
  /** Writes a folder in place of one of that name. Returns the bytes of its files; throws a `WeightsError` like `file`. */
  folder(path: string, fill: (folder: FolderToFill) => Promise<void>): Promise<number>;
}

export interface FolderToFill {
  /** Where the disk has the folder until it is whole; undefined elsewhere. */
  readonly path: string | undefined;
  write(name: string, content: string | readonly Uint8Array[]): Promise<void>;
}
