/** The same file with the path that an input for folders would give it. */
export function fileWithPath(file: File, path: string): File {
  return Object.defineProperty(file, "webkitRelativePath", { value: path });
}
