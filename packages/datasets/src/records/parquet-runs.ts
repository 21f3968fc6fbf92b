import type { DataReader, FileMetaData, PageHeader } from "hyparquet";
import type { deltaBinaryUnpack } from "hyparquet/src/delta.js";
import type { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import type { readVarInt } from "hyparquet/src/thrift.js";

type ColumnMetaData = NonNullable<FileMetaData["row_groups"][number]["columns"][number]["meta_data"]>;

/** What the values of a page are decoded by. */
interface Column {
  readonly metadata: ColumnMetaData;
  readonly schema: FileMetaData["schema"];
  /** Unpacks a page of the column's codec into so many bytes. */
  readonly unpack: (bytes: Uint8Array, length: number) => Uint8Array;
}

/** The functions of hyparquet that decode parts of a page. */
interface Decoders {
  readonly readRleBitPackedHybrid: typeof readRleBitPackedHybrid;
  readonly deltaBinaryUnpack: typeof deltaBinaryUnpack;
  readonly readVarInt: typeof readVarInt;
}

/**
 * Returns a function that throws an Error for a page whose runs hold other counts than its header states. hyparquet takes a run's count
 * as it is: one that is longer than its page takes memory for what it claims, and a negative one may never end.
 */
export async function runChecker(column: Column): Promise<(header: PageHeader, bytes: Uint8Array) => void> {
  const [encoding, delta, thrift, tree] = await Promise.all([
    import("hyparquet/src/encoding.js"),
    import("hyparquet/src/delta.js"),
    import("hyparquet/src/thrift.js"),
    import("hyparquet/src/schema.js"),
  ]);
  const decoders: Decoders = { ...encoding, ...delta, ...thrift };
  const path = tree.getSchemaPath(column.schema, column.metadata.path_in_schema);
  const most = { repetition: tree.getMaxRepetitionLevel(path), definition: tree.getMaxDefinitionLevel(path) };

  return (header, bytes) => {
    const { data_page_header: first, data_page_header_v2: second, uncompressed_page_size: unpacked } = header;
    if (header.type === "DATA_PAGE" && first !== undefined) {
      const reader = readerOf(column.unpack(bytes, unpacked));
      if (most.repetition > 0) levels(decoders, reader, { most: most.repetition, count: first.num_values });
      const defined =
        most.definition > 0
          ? levels(decoders, reader, { most: most.definition, count: first.num_values })
          : first.num_values;
      checkValues(decoders, reader, { encoding: first.encoding, count: defined, type: column.metadata.type });
    }
    if (header.type === "DATA_PAGE_V2" && second !== undefined) {
      const { num_values: count, repetition_levels_byte_length: repeated, definition_levels_byte_length: own } = second;
      const reader = readerOf(bytes);
      if (most.repetition > 0) levels(decoders, reader, { most: most.repetition, count, length: repeated });
      reader.offset = repeated;
      if (most.definition > 0) levels(decoders, reader, { most: most.definition, count, length: own });
      const packed = bytes.subarray(repeated + own);
      const length = unpacked - repeated - own;
      const content = second.is_compressed === false || length === 0 ? packed : column.unpack(packed, length);
      checkValues(decoders, readerOf(content), {
        encoding: second.encoding,
        count: count - second.num_nulls,
        type: column.metadata.type,
      });
    }
  };
}

const readerOf = (bytes: Uint8Array): DataReader => ({
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  offset: 0,
});

/** Checks the runs of levels, reads them, and returns how many are the highest: the values that are no null. */
function levels(
  decoders: Decoders,
  reader: DataReader,
  { most, count, length }: { readonly most: number; readonly count: number; readonly length?: number },
): number {
  const width = 32 - Math.clz32(most);
  const start = reader.offset;
  checkRuns(decoders, reader, { width, count, isPrefixed: length === undefined });
  reader.offset = start;
  const read: number[] = Array.from({ length: count });
  decoders.readRleBitPackedHybrid(reader, width, read, length);
  return read.filter((level) => level === most).length;
}

interface Values {
  readonly encoding: ColumnMetaData["encodings"][number];
  readonly count: number;
  readonly type: ColumnMetaData["type"];
}

function checkValues(decoders: Decoders, reader: DataReader, { encoding, count, type }: Values): void {
  if (count <= 0) return;
  if (encoding === "RLE" && type === "BOOLEAN") checkRuns(decoders, reader, { width: 1, count, isPrefixed: true });
  else if (encoding === "RLE" || encoding === "RLE_DICTIONARY" || encoding === "PLAIN_DICTIONARY") {
    const width = reader.view.getUint8(reader.offset);
    reader.offset += 1;
    // An index of no bits needs no run; some writers leave the runs out.
    if (width > 0 || reader.offset < reader.view.byteLength) checkRuns(decoders, reader, { width, count });
  } else if (encoding === "DELTA_BINARY_PACKED") checkBlocks(decoders, reader);
  else if (encoding === "DELTA_LENGTH_BYTE_ARRAY") checkBlocks(decoders, reader);
  else if (encoding === "DELTA_BYTE_ARRAY") checkPrefixes(decoders, reader, count);
}

/** Throws for runs of more values than `count`. Walks as hyparquet does; what leaves the page is a RangeError of its view. */
function checkRuns(
  decoders: Decoders,
  reader: DataReader,
  {
    width,
    count,
    isPrefixed = false,
  }: { readonly width: number; readonly count: number; readonly isPrefixed?: boolean },
): void {
  if (isPrefixed) reader.offset += 4;
  for (let seen = 0; seen < count;) {
    const header = decoders.readVarInt(reader);
    const isPacked = (header & 1) === 1;
    const run = isPacked ? (header >>> 1) * 8 : header >>> 1;
    // Packed runs are of eight values, the last of which may be padding.
    if (run > count - seen + (isPacked ? 7 : 0))
      throw new Error(`a run of ${run} values is stated, where the page has ${count - seen} left`);
    reader.offset += isPacked ? Math.max(1, (run / 8) * width) : (width + 7) >> 3;
    seen += run;
  }
}

/** Throws for a header of differences from which hyparquet would read backwards. */
function checkBlocks(decoders: Decoders, reader: DataReader): void {
  const start = reader.offset;
  const block = decoders.readVarInt(reader);
  const parts = decoders.readVarInt(reader);
  reader.offset = start;
  if (block <= 0 || parts <= 0 || block % (parts * 32) !== 0)
    throw new Error(`a block of ${block} differences in ${parts} parts cannot be`);
}

/** Throws where a text shares more of the text before than that has. */
function checkPrefixes(decoders: Decoders, reader: DataReader, count: number): void {
  const read = () => {
    checkBlocks(decoders, reader);
    const lengths = new Int32Array(count);
    decoders.deltaBinaryUnpack(reader, count, lengths);
    return lengths;
  };
  const shared = read();
  const added = read();
  for (let i = 0, before = 0; i < count; i += 1) {
    if (shared[i]! < 0 || added[i]! < 0 || shared[i]! > before)
      throw new Error(`a text shares ${shared[i]} bytes with the one before, which has ${before}`);
    before = shared[i]! + added[i]!;
  }
}
