import pMap from "p-map";
import { DataError } from "../data-error.ts";
import { contentOf, startOf } from "../images/image-content.ts";
import { imageExtensions, imageFormat, signatureBytes } from "../images/image-format.ts";
import { byCodePoint } from "./class-names.ts";
import type { FileTree } from "./file-tree.ts";
import type { GivenFiles } from "./given-files.ts";

/** The folders of files that a page was given. The beginnings of files without an image's extension are read at once. */
export async function givenTree({ root, contents }: GivenFiles): Promise<FileTree> {
  const folders = foldersOf(root, [...contents.keys()]);
  const startAsImages = new Set<string>();
  const unnamed = [...contents.keys()].filter((path) => !isHidden(path) && !isNamedAsImage(path));
  await pMap(
    unnamed,
    async (name) => {
      const start = await startOf({ content: contents.get(name)!, name }, signatureBytes).catch(() => undefined);
      if (start !== undefined && imageFormat(start) !== undefined) startAsImages.add(name);
    },
    { concurrency: 8 },
  );
  const filesUnder = (folder: string): string[] => {
    const prefix = folder === "" ? "" : `${folder}/`;
    const files = [...contents.keys()].filter(
      (path) => path.startsWith(prefix) && !isHidden(path.slice(prefix.length)),
    );
    const named = files.map((path) => ({ path, end: path.lastIndexOf("/") }));
    return named
      .toSorted(
        (a, b) =>
          byCodePoint(a.path.slice(0, a.end), b.path.slice(0, b.end)) ||
          byCodePoint(a.path.slice(a.end + 1), b.path.slice(b.end + 1)),
      )
      .map(({ path }) => path);
  };
  return {
    join: (folder, name) => (folder === "" ? name : `${folder}/${name}`),
    names(folder) {
      const names = folders.get(folder);
      if (names === undefined) throw new DataError(`${folder} cannot be read: it is no folder of these files`);
      return [...names].filter((name) => !isHidden(name));
    },
    isFolder: (path) => folders.has(path),
    filesUnder,
    isImage: (file) => isNamedAsImage(file) || startAsImages.has(file),
    async text(name) {
      const content = contents.get(name);
      return content === undefined ? undefined : new TextDecoder().decode(await contentOf({ content, name }));
    },
    contents,
  };
}

/** The names in each folder. */
function foldersOf(root: string, paths: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, Set<string>>([[root, new Set()]]);
  for (const path of paths) {
    const parts = path.split("/");
    for (const [place, name] of parts.entries()) {
      if (root !== "" && place === 0) continue;
      const folder = parts.slice(0, place).join("/");
      folders.set(folder, (folders.get(folder) ?? new Set()).add(name));
    }
  }
  return folders;
}

function isNamedAsImage(path: string): boolean {
  const name = path.toLowerCase();
  return imageExtensions.some((extension) => name.endsWith(extension));
}

/** True if a part of a path begins with a dot. Jupyter and macOS keep copies in such folders. */
function isHidden(path: string): boolean {
  return path.split("/").some((part) => part.startsWith("."));
}
