import type { Compressors, FileMetaData, PageHeader } from "hyparquet";
import { runChecker } from "./parquet-runs.ts";

/** Rows that any file may have; more only in files of as many bytes, since each row has an image. */
const usualRows = 1_000_000;

/** Throws an Error for counts of rows that a file of so many bytes cannot have, before memory is taken for them. */
export function checkRows({ num_rows: rows, row_groups: groups }: FileMetaData, size: number): void {
  const most = mostOf(size);
  for (const count of [rows, ...groups.map((group) => group.num_rows)])
    if (!isWhole(Number(count), most)) throw new Error(`${count} rows are stated, of at most ${most} in ${size} bytes`);
}

/**
 * Checks the pages of the columns that lie in `bytes`, which begin at `start` in a file of `size` bytes: hyparquet takes the numbers of
 * their headers and runs as they are, and does not end where one is missing. Throws an Error for a page that cannot be.
 */
export async function checkPages(
  bytes: ArrayBuffer,
  start: number,
  {
    metadata,
    size,
    compressors,
  }: { readonly metadata: FileMetaData; readonly size: number; readonly compressors: Compressors },
): Promise<void> {
  const { parquetHeader } = await import("hyparquet/src/column.js");
  for (const { meta_data: column } of metadata.row_groups.flatMap(({ columns }) => columns)) {
    if (column === undefined) continue;
    const from = Number(column.dictionary_page_offset || column.data_page_offset) - start;
    const length = Number(column.total_compressed_size);
    if (!isWhole(from, bytes.byteLength) || !isWhole(length, bytes.byteLength - from)) continue;
    const unpack = compressors[column.codec] ?? ((page: Uint8Array) => page);
    const checkRuns = await runChecker({ metadata: column, schema: metadata.schema, unpack });
    const reader = { view: new DataView(bytes, from, length), offset: 0 };
    // As in hyparquet, whose columns end before their last byte.
    while (reader.offset < length - 1) {
      const header = parquetHeader(reader);
      checkHeader(header, { left: length - reader.offset, most: mostOf(size) });
      checkRuns(header, new Uint8Array(bytes, from + reader.offset, header.compressed_page_size));
      reader.offset += header.compressed_page_size;
    }
  }
}

function checkHeader(header: PageHeader, { left, most }: { readonly left: number; readonly most: number }): void {
  const { compressed_page_size: bytes, uncompressed_page_size: unpacked } = header;
  const { data_page_header: page, data_page_header_v2: second, dictionary_page_header: dictionary } = header;
  const counts = second === undefined ? [] : [second.num_rows, second.num_nulls];
  const levels =
    second === undefined ? [] : [second.repetition_levels_byte_length, second.definition_levels_byte_length];
  const values = (page ?? second ?? dictionary)?.num_values;
  const isPossible =
    isWhole(bytes, left) &&
    isWhole(unpacked, Number.MAX_SAFE_INTEGER) &&
    [values, ...counts].every((count) => isWhole(count, most)) &&
    [...levels, (levels[0] ?? 0) + (levels[1] ?? 0)].every((each) => isWhole(each, bytes));
  if (!isPossible) throw new Error("the header of a page has numbers that cannot be");
}

const mostOf = (size: number): number => Math.max(usualRows, size);

function isWhole(value: unknown, most: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;
}
