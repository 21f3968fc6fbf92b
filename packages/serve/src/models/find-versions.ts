import { readdir, stat } from "node:fs/promises";
import path from "node:path";

/** One version of a model on disk. */
export interface FoundVersion {
  readonly version: number;
  /** What `load` gets: a file, or a folder. */
  readonly path: string;
  /** Changes when a file of the model changes. */
  readonly stamp: string;
}

/** The versions at a path: its subfolders with whole numbers as names, else the path itself as version 1. */
export async function findVersions(source: string): Promise<FoundVersion[]> {
  const entries = await readdir(source, { withFileTypes: true }).catch(() => []);
  const numbers = entries
    .filter((entry) => entry.isDirectory() && /^[1-9]\d{0,14}$/.test(entry.name))
    .map((entry) => Number(entry.name));
  if (numbers.length === 0) return [{ version: 1, path: source, stamp: await stampOf(source) }];
  return Promise.all(
    numbers
      .toSorted((a, b) => a - b)
      .map(async (version) => {
        const folder = path.join(source, String(version));
        return { version, path: await modelIn(folder), stamp: await stampOf(folder) };
      }),
  );
}

/** The only model file in a folder, the model of a run directory, or the folder itself. */
async function modelIn(folder: string): Promise<string> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  const files = names.filter((name) => /\.(keras|h5|hdf5|onnx)$/i.test(name));
  return files.length === 1 && !names.includes("model") ? path.join(folder, files[0]!) : folder;
}

/** Sizes and times of all files below a path; empty for what is no path. */
async function stampOf(source: string): Promise<string> {
  const own = await stat(source).catch(() => undefined);
  if (own === undefined) return "";
  if (!own.isDirectory()) return `${own.size} ${own.mtimeMs}`;
  const names = await readdir(source, { recursive: true });
  const stats = await Promise.all(names.map((name) => stat(path.join(source, name)).catch(() => undefined)));
  return stats.map((each, i) => (each?.isFile() === true ? `${names[i]} ${each.size} ${each.mtimeMs}` : "")).join("\n");
}
