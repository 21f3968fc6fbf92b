import type { CsvColumns } from "../folders/csv-targets.ts";

/** The fields of a record that are read. */
export type RecordFields = Pick<CsvColumns, "image" | "label" | "labels" | "numbers">;

/** A record as it is listed before the first batch. */
export interface ListedRecord {
  /** What messages call the record, beside its shard. */
  readonly key: string;
  /** A class, by name or number; 0 where labels or numbers are asked for. */
  readonly label: string | number;
  /** The values of the fields of labels and numbers, in their order; missing if there are none. */
  readonly values?: readonly string[] | undefined;
  /** Where the encoded image lies in the shard; missing if the shard must be read as a stream. */
  readonly place?: { readonly start: number; readonly length: number } | undefined;
  readonly isJpeg: boolean;
}

/** What is known of a shard. */
export interface ListedShard {
  readonly records: readonly ListedRecord[];
  /** The names of the classes, if the shard states them. */
  readonly classes?: readonly string[] | undefined;
}

/** A kind of file with many records. */
export interface ShardFormat {
  readonly name: string;
  /** Endings of file names. */
  readonly matches: RegExp;
  /** Lists the records in their order. Throws a DataError that names the file. */
  list(file: string, fields: RecordFields): Promise<ListedShard>;
  /** The encoded images of all listed records in their order. */
  images(file: string, fields: RecordFields): AsyncGenerator<Uint8Array>;
}
