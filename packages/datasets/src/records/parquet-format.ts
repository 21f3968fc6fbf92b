import { open } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { shown } from "@convkit/errors";
import type { AsyncBuffer, Compressors, FileMetaData } from "hyparquet";
import { DataError, reasonOf } from "../data-error.ts";
import { checkPages, checkRows } from "./parquet-pages.ts";
import { cellOf, valueFields } from "./record-values.ts";
import type { ListedRecord, RecordFields, ShardFormat } from "./shard-format.ts";

/** The reader is loaded with the first file. */
const hyparquet = () => import("hyparquet");

/** Decompressors of pages: Node's own where it has them. */
async function decompressors(): Promise<Compressors> {
  const { compressors } = await import("hyparquet-compressors");
  const checked: Compressors = {};
  const all: Compressors = {
    ...compressors,
    GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
    BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  };
  for (const [codec, decompress] of Object.entries(all) as [keyof Compressors, (typeof all)["GZIP"]][])
    checked[codec] = (input, length) => {
      // LZ4's decoder does not know a block of nothing, such as a column of nulls.
      const output = length === 0 ? new Uint8Array() : decompress!(input, length);
      if (output.length === length) return output;
      throw new Error(`a page has ${output.length} bytes, but its header states ${length}`);
    };
  return checked;
}

/** The columns of a file, and the names of its classes. */
interface Columns {
  readonly image: string;
  /** True if the column is a struct of bytes and path. */
  readonly isStruct: boolean;
  readonly label: string;
  readonly classes?: readonly string[] | undefined;
}

/** Parquet files in Hugging Face's layout: a column of images (a struct of bytes and path, or bytes) and one of classes. */
export const parquetFormat: ShardFormat = {
  name: "Parquet",
  matches: /\.parquet$/i,
  list: (file, fields) =>
    withParquet(file, async (parquet) => {
      const valued = valueFields(fields);
      if (valued.length > 0) return { records: await valuedRecords(file, parquet, valued) };
      const { label, classes } = await columnsOf(file, parquet.metadata, fields);
      const records: ListedRecord[] = [];
      for (const [from, to] of rowGroups(parquet.metadata))
        for (const row of await rowsOf(file, parquet, { column: label, from, to })) {
          const key = `row ${records.length}`;
          records.push({ key, label: labelOf(`${file}: ${key}`, label, row), isJpeg: false });
        }
      return { records, classes };
    }),
  async *images(file, fields) {
    const parquet = await openParquet(file);
    try {
      const { image, isStruct } = await columnsOf(file, parquet.metadata, fields);
      for (const [from, to] of rowGroups(parquet.metadata)) {
        const rows = await rowsOf(file, parquet, { column: image, from, to });
        for (const [place, row] of rows.entries()) {
          const bytes = isStruct ? (row as { bytes?: unknown } | null)?.bytes : row;
          if (!(bytes instanceof Uint8Array) || bytes.length === 0)
            throw new DataError(
              `${file}: row ${from + place} has no bytes in ${image}; images that lie in other files must be embedded`,
            );
          // The image alone, so that the rest of the row group can be freed.
          yield bytes.slice();
        }
      }
    } finally {
      await parquet.close();
    }
  },
};

/** The records with the values of columns. */
async function valuedRecords(file: string, parquet: Parquet, columns: readonly string[]): Promise<ListedRecord[]> {
  const { parquetSchema } = await hyparquet();
  const known = parquetSchema(parquet.metadata).children.map((child) => child.element.name);
  const missing = columns.find((column) => !known.includes(column));
  if (missing !== undefined) throw new DataError(`${file}: expected a column ${missing}, found ${known.join(", ")}`);
  const records: ListedRecord[] = [];
  for (const [from, to] of rowGroups(parquet.metadata)) {
    const cells = await Promise.all(columns.map((column) => rowsOf(file, parquet, { column, from, to })));
    for (let row = 0; row < to - from; row += 1) {
      const key = `row ${records.length}`;
      const values = columns.map((column, place) => cellOf(`${file}: ${key}`, column, cells[place]![row]));
      records.push({ key, label: 0, values, isJpeg: false });
    }
  }
  return records;
}

interface Parquet {
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly compressors: Compressors;
  close(): Promise<void>;
}

async function withParquet<Result>(file: string, work: (parquet: Parquet) => Promise<Result>): Promise<Result> {
  const parquet = await openParquet(file);
  try {
    return await work(parquet);
  } finally {
    await parquet.close();
  }
}

/** Opens a file and reads its footer. */
async function openParquet(file: string): Promise<Parquet> {
  const handle = await open(file).catch((error: unknown) => {
    throw new DataError(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  try {
    const { size } = await handle.stat();
    const { parquetMetadataAsync } = await hyparquet();
    const compressors = await decompressors();
    let metadata: FileMetaData | undefined;
    const buffer: AsyncBuffer = {
      byteLength: size,
      async slice(start, end = size) {
        if (start < 0 || end > size || start > end) throw new Error(`bytes ${start} to ${end} are not in the file`);
        const bytes = new Uint8Array(end - start);
        await handle.read(bytes, 0, bytes.length, start);
        if (metadata !== undefined) await checkPages(bytes.buffer, start, { metadata, size, compressors });
        return bytes.buffer;
      },
    };
    metadata = await damaged(file, async () => {
      const read = await parquetMetadataAsync(buffer);
      checkRows(read, size);
      return read;
    });
    return { buffer, metadata, compressors, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function damaged<Result>(file: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    throw new DataError(`${file}: expected a whole Parquet file, but reading failed (${reasonOf(error)})`, {
      cause: error,
    });
  }
}

/** The first row of each row group, and the row behind its last. */
function rowGroups({ row_groups: groups }: FileMetaData): [from: number, to: number][] {
  let row = 0;
  return groups.map(({ num_rows: count }) => {
    const from = row;
    row += Number(count);
    return [from, row];
  });
}

/** The values of one column in some rows. */
async function rowsOf(
  file: string,
  { buffer, metadata, compressors }: Parquet,
  { column, from, to }: { column: string; from: number; to: number },
): Promise<unknown[]> {
  const { parquetReadObjects } = await hyparquet();
  const rows = await damaged(file, () =>
    parquetReadObjects({
      file: buffer,
      metadata,
      columns: [column],
      rowStart: from,
      rowEnd: to,
      compressors,
      utf8: false,
    }),
  );
  if (rows.length !== to - from)
    throw new DataError(`${file}: expected ${to - from} rows from row ${from} on, found ${rows.length}`);
  return rows.map((row) => row[column]);
}

/** The columns of image and label: those that are asked for, those that the metadata describe, or the usual names. */
async function columnsOf(file: string, metadata: FileMetaData, fields: RecordFields): Promise<Columns> {
  const { parquetSchema } = await hyparquet();
  const columns = new Map(parquetSchema(metadata).children.map((child) => [child.element.name, child.children]));
  const features = featuresOf(metadata);
  const ofType = (type: string) => [...columns.keys()].filter((name) => features[name]?._type === type);
  const choose = (what: "image" | "label", told: readonly string[], usual: readonly string[]): string => {
    const asked = fields[what];
    const found = asked === undefined ? (told.length > 0 ? told : usual) : [asked];
    const there = found.filter((name) => columns.has(name));
    const [name] = there;
    if (name !== undefined && there.length === 1) return name;
    const why = there.length > 1 ? `several (${there.join(", ")})` : `${[...columns.keys()].join(", ")}`;
    throw new DataError(
      `${file}: expected a column of ${asked ?? (what === "image" ? "images" : "classes")}, found ${why}; name one by columns.${what}`,
    );
  };
  const image = choose("image", ofType("Image"), ["image", "img"]);
  const hasValues = valueFields(fields).length > 0;
  const label = hasValues ? "" : choose("label", ofType("ClassLabel"), ["label", "labels", "class"]);
  const isStruct = columns.get(image)!.some(({ element }) => element.name === "bytes");
  const names = features[label]?.names;
  const classes = Array.isArray(names) && names.every((name) => typeof name === "string") ? names : undefined;
  return { image, isStruct, label, classes };
}

type Features = Readonly<Record<string, { readonly _type?: unknown; readonly names?: unknown } | undefined>>;

/** What `datasets` writes about the columns; nothing in other files. */
function featuresOf({ key_value_metadata: pairs = [] }: FileMetaData): Features {
  const text = pairs.find(({ key }) => key === "huggingface")?.value;
  if (text === undefined) return {};
  try {
    return (JSON.parse(text) as { info?: { features?: Features } }).info?.features ?? {};
  } catch {
    return {};
  }
}

function labelOf(where: string, column: string, value: unknown): string | number {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "string" || typeof value === "number") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  throw new DataError(`${where}: expected a class by name or number in ${column}, found ${shown(value)}`);
}
