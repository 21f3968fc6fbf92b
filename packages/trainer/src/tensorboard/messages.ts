import protobuf from "protobufjs";

/** The part of TensorFlow's event.proto, summary.proto and graph.proto that TensorBoard's dashboards read. */
const root = protobuf.parse(
  `
  syntax = "proto3";
  message HistogramProto {
    double min = 1; double max = 2; double num = 3; double sum = 4; double sum_squares = 5;
    repeated double bucket_limit = 6; repeated double bucket = 7;
  }
  message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
  message Value {
    string tag = 1;
    oneof value { float simple_value = 2; Image image = 4; HistogramProto histo = 5; }
  }
  message Summary { repeated Value value = 1; }
  message Event {
    double wall_time = 1;
    int64 step = 2;
    oneof what { string file_version = 3; bytes graph_def = 4; Summary summary = 5; }
  }
  message Dim { int64 size = 1; }
  message TensorShapeProto { repeated Dim dim = 2; }
  message ListValue { repeated TensorShapeProto shape = 7; }
  message AttrValue { oneof value { ListValue list = 1; bytes s = 2; } }
  message NodeDef { string name = 1; string op = 2; repeated string input = 3; string device = 4; map<string, AttrValue> attr = 5; }
  message VersionDef { int32 producer = 1; }
  message GraphDef { repeated NodeDef node = 1; VersionDef versions = 4; }
  `,
  { keepCase: true },
).root;

const event = root.lookupType("Event");
const graph = root.lookupType("GraphDef");

/** The step of an event, and the tags of its values; a graph has the tag "graph". */
export interface EventSummary {
  readonly step: number;
  readonly tags: readonly string[];
}

/** The step and the tags of an encoded Event message. */
export function decodeEvent(bytes: Uint8Array): EventSummary {
  const decoded = event.toObject(event.decode(bytes), { longs: Number, bytes: String }) as {
    readonly step?: number;
    readonly graph_def?: unknown;
    readonly summary?: { readonly value?: readonly { readonly tag: string }[] };
  };
  const tags = decoded.summary?.value?.map(({ tag }) => tag) ?? [];
  return { step: decoded.step ?? 0, tags: decoded.graph_def === undefined ? tags : ["graph"] };
}

/** The bytes of an Event message, from an object with the message's field names. */
export function encodeEvent(fields: object): Uint8Array {
  return event.encode(event.fromObject(fields)).finish();
}

/** The bytes of a GraphDef message. */
export function encodeGraph(fields: object): Uint8Array {
  return graph.encode(graph.fromObject(fields)).finish();
}
