import { crc32 } from "node:zlib";
import type { ByteSink } from "./atomic-file.ts";
import { WeightsError } from "./weights-error.ts";

export interface EntryToWrite {
  readonly name: string;
  readonly fill: (sink: ByteSink) => void;
}

/** Writes a zip archive of stored entries; sizes and checksums follow each entry's bytes, so that these are written once. */
export function writeZip(sink: ByteSink, entries: readonly EntryToWrite[]): void {
  const directory: Buffer[] = [];
  const start = sink.position;
  for (const { name, fill } of entries) {
    const encoded = Buffer.from(name);
    const offset = sink.position - start;
    sink.write(header(30, [0x04034b50, 4], [20, 2], [streamedUtf8, 2], [0, 18], [encoded.byteLength, 2]));
    sink.write(encoded);
    const before = sink.position;
    let checksum = 0;
    fill({
      get position() {
        return sink.position - before;
      },
      write(bytes) {
        checksum = crc32(bytes, checksum);
        sink.write(bytes);
      },
    });
    const size = sink.position - before;
    if (sink.position - start > 0xffff_0000)
      throw new WeightsError(name, "", "an archive above 4 GiB is not written; use .safetensors or .weights.h5");
    sink.write(header(16, [0x08074b50, 4], [checksum, 4], [size, 4], [size, 4]));
    directory.push(
      header(
        46,
        [0x02014b50, 4],
        [20, 2],
        [20, 2],
        [streamedUtf8, 2],
        [0, 6],
        [checksum, 4],
        [size, 4],
        [size, 4],
        [encoded.byteLength, 2],
        [0, 12],
        [offset, 4],
      ),
      encoded,
    );
  }
  const at = sink.position - start;
  const bytes = Buffer.concat(directory);
  sink.write(bytes);
  sink.write(
    header(22, [0x06054b50, 4], [0, 4], [entries.length, 2], [entries.length, 2], [bytes.byteLength, 4], [at, 4]),
  );
}

/** Flags: sizes follow the data, names are UTF-8. */
const streamedUtf8 = 0x0808;

function header(size: number, ...fields: readonly (readonly [value: number, bytes: number])[]): Buffer {
  const out = Buffer.alloc(size);
  let at = 0;
  for (const [value, bytes] of fields) {
    if (bytes <= 4) out.writeUIntLE(value, at, bytes);
    at += bytes;
  }
  return out;
}
