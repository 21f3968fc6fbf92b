import { DataError, reasonOf } from "../data-error.ts";
import { openReader } from "./byte-reader.ts";
import { maskedCrc32c } from "./crc32c.ts";
import { exampleFeatures, type Feature } from "./example-features.ts";
import { cellOf, valueFields } from "./record-values.ts";
import type { ListedRecord, RecordFields, ShardFormat } from "./shard-format.ts";

/** The most bytes of a record. */
const mostBytes = 2 ** 29;
const usual = { image: ["image/encoded", "image"], label: ["image/class/label", "label"] } as const;

/** TensorFlow's TFRecord files of `tf.train.Example`, gzipped or not, with the names that TensorFlow Datasets and others give them. */
export const tfrecordFormat: ShardFormat = {
  name: "TFRecord",
  matches: /\.tfrecords?(?:\.gz)?$|(?:^|[/\\])[^/\\.]*(?:\.tfrecords?)?-\d{5}-of-\d{5}$/i,
  async list(file, fields) {
    const valued = valueFields(fields);
    const records: ListedRecord[] = [];
    for await (const { start, isGzip, message } of tfRecords(file)) {
      const key = `record ${records.length}`;
      const where = `${file}: ${key}`;
      const features = featuresOf(where, message);
      const [from, to] = imageSpan(where, features, fields);
      records.push({
        key,
        ...(valued.length === 0
          ? { label: labelOf(where, message, features, fields) }
          : { label: 0, values: valued.map((field) => cellAt(where, message, features, field)) }),
        isJpeg: message[from] === 0xff && message[from + 1] === 0xd8,
        place: isGzip ? undefined : { start: start + from, length: to - from },
      });
    }
    return { records };
  },
  async *images(file, fields) {
    let record = 0;
    for await (const { message } of tfRecords(file)) {
      const where = `${file}: record ${record++}`;
      const [from, to] = imageSpan(where, featuresOf(where, message), fields);
      yield message.subarray(from, to);
    }
  },
};

interface TfRecord {
  /** Offset of the message in the file. */
  readonly start: number;
  readonly isGzip: boolean;
  readonly message: Buffer;
}

/** The records of a file. Throws a DataError with the byte for a wrong checksum and for a truncated file. */
async function* tfRecords(file: string): AsyncGenerator<TfRecord> {
  const { reader, isGzip } = await openReader(file);
  try {
    for (;;) {
      const at = reader.position;
      const bad = (what: string) => new DataError(`${file}: ${what} in the record at byte ${at}; make the file anew`);
      const header = await reader.read(12);
      if (header.length === 0) return;
      if (header.length < 12) throw bad("the file ends");
      if (maskedCrc32c(header.subarray(0, 8)) !== header.readUInt32LE(8))
        throw bad("expected a length with its checksum, found another checksum");
      const length = Number(header.readBigUInt64LE(0));
      if (length > mostBytes) throw bad(`expected at most ${mostBytes} bytes, found a length of ${length}`);
      const body = await reader.read(length + 4);
      if (body.length < length + 4) throw bad("the file ends");
      const message = body.subarray(0, length);
      if (maskedCrc32c(message) !== body.readUInt32LE(length)) throw bad("found a wrong checksum of the content");
      yield { start: at + 12, isGzip, message };
    }
  } finally {
    await reader.close();
  }
}

function featuresOf(where: string, message: Buffer): Map<string, Feature> {
  try {
    return exampleFeatures(message);
  } catch (error) {
    throw new DataError(`${where}: expected a tf.train.Example, but ${reasonOf(error)}`);
  }
}

/** The value of a feature: a number, or names with `|` between them. */
function cellAt(where: string, message: Buffer, features: ReadonlyMap<string, Feature>, field: string): string {
  const feature = features.get(field);
  if (feature === undefined)
    throw new DataError(
      `${where}: expected the feature ${field}, found ${[...features.keys()].slice(0, 20).join(", ")}`,
    );
  const { spans, integers, floats } = feature;
  const values = [...spans.map((span) => message.toString("utf8", ...span)), ...integers, ...floats];
  return cellOf(where, field, values.length === 1 ? values[0] : values);
}

function named(where: string, features: ReadonlyMap<string, Feature>, what: "image" | "label", asked?: string): string {
  const name = asked === undefined ? usual[what].find((each) => features.has(each)) : asked;
  if (name !== undefined && features.has(name)) return name;
  const expected = asked ?? usual[what].join(" or ");
  const found = [...features.keys()].slice(0, 20).join(", ");
  throw new DataError(
    `${where} has no ${what}: expected the feature ${expected}, found ${found}; name one by columns.${what}`,
  );
}

function imageSpan(
  where: string,
  features: ReadonlyMap<string, Feature>,
  { image }: RecordFields,
): readonly [number, number] {
  const name = named(where, features, "image", image);
  const { kind, spans } = features.get(name)!;
  const [span] = spans;
  if (span !== undefined && spans.length === 1 && span[1] > span[0]) return span;
  throw new DataError(
    `${where}: expected the bytes of one encoded image in ${name}, found ${spans.length} values of ${kind}`,
  );
}

function labelOf(
  where: string,
  message: Buffer,
  features: ReadonlyMap<string, Feature>,
  { label }: RecordFields,
): string | number {
  const name = named(where, features, "label", label);
  const { kind, spans, integers } = features.get(name)!;
  if (integers.length === 1) return Number(integers[0]);
  if (spans.length === 1 && spans[0]![1] > spans[0]![0]) return message.toString("utf8", ...spans[0]!);
  const count = Math.max(spans.length, integers.length);
  throw new DataError(`${where}: expected one class by number or name in ${name}, found ${count} values of ${kind}`);
}
