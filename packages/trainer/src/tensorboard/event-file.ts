import { appendFile, mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
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

/** Appends to one TensorBoard event file, which is open only while something is written; values of one call share step and time. */
export interface EventFile {
  scalars(step: number, values: Readonly<Record<string, number>>): Promise<void>;
  histograms(step: number, values: Readonly<Record<string, ArrayLike<number>>>): Promise<void>;
  images(step: number, values: Readonly<Record<string, Picture>>): Promise<void>;
  /** A GraphDef in protobuf's field names, for the graph dashboard. */
  graph(definition: object): Promise<void>;
}

let opened = 0;

/** Opens a new event file in `folder`, with a name like TensorFlow's so that TensorBoard finds it. */
export async function openEventFile(folder: string): Promise<EventFile> {
  await mkdir(folder, { recursive: true });
  opened += 1;
  const seconds = Math.floor(Date.now() / 1000);
  const path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${opened}.v2`);
  const write = (fields: object) =>
    appendFile(path, frameRecord(encodeEvent({ wall_time: Date.now() / 1000, ...fields })));
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
