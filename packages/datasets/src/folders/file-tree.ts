/** Folders and their files: those of the disk, or those that a page was given. */
export interface FileTree {
  /** The path of an entry of a folder. */
  join(folder: string, name: string): string;
  /** The names in a folder, except hidden ones. Throws a DataError for a folder that cannot be read. */
  names(folder: string): string[];
  /** True for a folder, and for a link to an existing folder. */
  isFolder(path: string): boolean;
  /**
   * Every file in a folder and the folders inside it, except hidden ones, in Keras' order: by the code points of the folder's name, then of
   * the file's.
   */
  filesUnder(folder: string): string[];
  /** True if the name has an image's extension; otherwise the first bytes decide. */
  isImage(file: string): boolean;
  /** What a text file holds; undefined if it is not there. */
  text(file: string): Promise<string | undefined>;
  /** What files hold, where they are read otherwise than by their path. */
  readonly contents?: ReadonlyMap<string, Blob | URL> | undefined;
}
