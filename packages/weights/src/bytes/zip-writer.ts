import { Zip, ZipPassThrough } from "fflate";
import type { ByteSink } from "@convkit/files";
import { WeightsError } from "../weights-error.ts";

export interface EntryToWrite {
  readonly name: string;
  readonly fill: (sink: ByteSink) => void;
}

/** Larger archives would need zip64, which fflate does not write. */
const sizeLimit = 0xffff_0000;

/** Writes a zip archive of uncompressed entries as a stream. */
export function writeZip(sink: ByteSink, entries: readonly EntryToWrite[]): void {
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    sink.write(chunk);
  });
  let total = 0;
  for (const { name, fill } of entries) {
    const entry = new ZipPassThrough(name);
    zip.add(entry);
    let position = 0;
    fill({
      get position() {
        return position;
      },
      write(bytes) {
        position += bytes.byteLength;
        total += bytes.byteLength;
        if (total > sizeLimit)
          throw new WeightsError(name, "", "an archive above 4 GiB is not written; use .safetensors or .weights.h5");
        entry.push(bytes);
      },
    });
    entry.push(new Uint8Array(0), true);
  }
  zip.end();
}
