import { join, readFile, readdir } from "@convkit/files/system";
import { writeFileAtomic } from "@convkit/files";
import { unreadable } from "../trainer-error.ts";
import { maskedCrc32c } from "./crc32c.ts";
import { decodeEvent, type EventSummary } from "./messages.ts";
import { frameRecord } from "./record.ts";

/**
 * Removes the events that a resumed run will write again from the event files of a folder. `isKept` decides for each
 * event by its step and tags. A file ends, as for TensorBoard, at the first record that is damaged, or incomplete because its
 * process was killed.
 */
export async function trimEventFiles(folder: string, isKept: (event: EventSummary) => boolean): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.includes("tfevents"))) {
    const path = join(folder, name);
    const bytes = await readFile(path).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    const kept = [...recordsOf(bytes)].filter((record) => isKept(decodeEvent(record)));
    const length = kept.reduce((sum, record) => sum + record.length + frameBytes, 0);
    if (length < bytes.length) await writeFileAtomic(path, kept.map(frameRecord));
  }
}

/** A record's length, its checksum, and the checksum of its data. */
const frameBytes = 16;

function* recordsOf(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = 0; start + frameBytes <= bytes.length;) {
    const length = Number(view.getBigUint64(start, true));
    if (start + frameBytes + length > bytes.length) return;
    const data = bytes.subarray(start + 12, start + 12 + length);
    const isWhole =
      view.getUint32(start + 8, true) === maskedCrc32c(bytes.subarray(start, start + 8)) &&
      view.getUint32(start + 12 + length, true) === maskedCrc32c(data);
    if (!isWhole) return;
    yield data;
    start += frameBytes + length;
  }
}
