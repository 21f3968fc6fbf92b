import { DataError } from "../data-error.ts";
import { tarEntries, type TarEntry } from "./tar-entries.ts";

/** Files of a tar archive that have one key, by their endings: one sample of a data set. */
export interface EntrySample<Part> {
  /** The path up to the first dot of the file's name. */
  readonly key: string;
  /** By ending, in lower case. */
  readonly parts: ReadonlyMap<string, Part>;
}

/** A sample of WebDataset shards with the bytes of its files. */
export interface ShardSample extends EntrySample<Uint8Array> {
  readonly file: string;
}

/** The samples of tar shards in their order, with all bytes, as Python's `webdataset` groups them. */
export async function* shardSamples(files: string | readonly string[]): AsyncGenerator<ShardSample> {
  for (const file of typeof files === "string" ? [files] : files)
    for await (const { key, parts } of tarSamples(file, (entry) => entry.read())) yield { file, key, parts };
}

/**
 * Groups neighboring files by key, as Python's `webdataset`: endings in lower case, without files that have no dot, and
 * without names such as `__meta__`. Throws a DataError for two files of one ending in a sample.
 */
export async function* tarSamples<Part>(
  file: string,
  take: (entry: TarEntry, ending: string) => Promise<Part>,
): AsyncGenerator<EntrySample<Part>> {
  let sample: { key: string; parts: Map<string, Part> } | undefined;
  for await (const entry of tarEntries(file)) {
    const [, key, written] = /^((?:.*\/|)[^.]+)\.([^/]*)$/s.exec(entry.name) ?? [];
    if (key === undefined || written === undefined || /^__[^/]*__(?:$|\/)/.test(entry.name)) continue;
    const ending = written.toLowerCase();
    if (key !== sample?.key) {
      if (sample !== undefined) yield sample;
      sample = { key, parts: new Map() };
    }
    if (sample.parts.has(ending))
      throw new DataError(`${file}: expected one ${ending} of ${key}, found ${entry.name} again`);
    sample.parts.set(ending, await take(entry, ending));
  }
  if (sample !== undefined) yield sample;
}
