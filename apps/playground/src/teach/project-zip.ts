import { zip, type AsyncZippable } from "fflate";
import type { PictureClass } from "../collect/classes.ts";

/** A zip archive of files by path; what is compressed already is stored. */
export async function zipOf(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<File> {
  const entries = Object.entries(files).map(([path, bytes]): [string, AsyncZippable[string]] => [
    path,
    [bytes, { level: /\.(?:jpe?g|png|webp|gif|avif|keras)$/iu.test(path) ? 0 : 6 }],
  ]);
  const bytes = await new Promise<Uint8Array>((resolve, reject) => {
    zip(Object.fromEntries(entries), (error, data) => (error === null ? resolve(data) : reject(error)));
  });
  return new File([bytes as Uint8Array<ArrayBuffer>], name, { type: "application/zip" });
}

/** The pictures by the paths that they have in the download: a folder for each class, and numbers before names, which may be equal. */
export async function picturesByPath(classes: readonly PictureClass[]): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const { name, pictures } of classes) {
    for (const [index, { file }] of pictures.entries()) {
      const number = String(index + 1).padStart(4, "0");
      const path = `pictures/${name.trim()}/${number}-${file.name.replaceAll(/[/\\:*?"<>|]/gu, "_")}`;
      files[path] = new Uint8Array(await file.arrayBuffer());
    }
  }
  return files;
}
