import { appendFile, hostname, join, processId, rm, truncate } from "@convkit/files/system";
import { makeFolder, unwritable } from "@convkit/files";
import { histogram } from "./histogram.ts";
import { encodeEvent, encodeGraph } from "./messages.ts";
import { frameRecord } from "./record.ts";

/** An encoded picture for TensorBoard's image dashboard. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly png: Uint8Array;
}

/**
 * Appends to one TensorBoard event file, which is open only while something is written; values of one call share step and time. Every
 * method throws a FileError that names the file if it cannot be written; what was written before stays whole, and the next call may succeed.
 */
export interface EventFile {
  scalars(step: number, values: Readonly<Record<string, number>>): Promise<void>;
  histograms(step: number, values: Readonly<Record<string, ArrayLike<number>>>): Promise<void>;
  images(step: number, values: Readonly<Record<string, Picture>>): Promise<void>;
  /** A GraphDef in protobuf's field names, for the graph dashboard. */
  graph(definition: object): Promise<void>;
}

let opened = 0;

/**
 * Opens a new event file in `folder`, with a name like TensorFlow's so that TensorBoard finds it. Throws a FileError if it cannot be
 * written.
 */
export async function openEventFile(folder: string): Promise<EventFile> {
  await makeFolder(folder);
  opened += 1;
  const seconds = Math.floor(Date.now() / 1000);
  const path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${processId}.${opened}.v2`);
  let size = 0;
  const write = async (fields: object) => {
    const record = frameRecord(encodeEvent({ wall_time: Date.now() / 1000, ...fields }));
    try {
      await appendFile(path, record);
    } catch (error) {
      await cutOff(path, size);
      throw unwritable(path, error);
    }
    size += record.length;
  };
  const summary = (step: number, value: object[]) => write({ step, summary: { value } });
  await write({ file_version: "brain.Event:2" });
  return {
    scalars: (step, values) =>
      summary(
        step,
        Object.entries(values).map(([tag, value]) => ({ tag, simple_value: value })),
      ),
    histograms: (step, values) =>
      summary(
        step,
        Object.entries(values).map(([tag, value]) => ({ tag, histo: histogram(value) })),
      ),
    images: (step, values) =>
      summary(
        step,
        Object.entries(values).map(([tag, { height, width, channels, png }]) => ({
          tag,
          image: { height, width, colorspace: channels, encoded_image_string: png },
        })),
      ),
    graph: (definition) => write({ graph_def: encodeGraph(definition) }),
  };
}

/** Takes half a record from the end of a file; readers stop at one. A disk that takes nothing any more may refuse this, too. */
async function cutOff(path: string, size: number): Promise<void> {
  await (size === 0 ? rm(path, { force: true }) : truncate(path, size)).catch(() => undefined);
}
