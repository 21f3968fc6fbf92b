import { memorySource } from "../../bytes/byte-source.ts";
import { decodeOnnx, fieldNumber } from "./protos.ts";
import type { OnnxMessage, OnnxMessageName } from "./protos.ts";
import { fieldsOf } from "./read/fields.ts";
import type { Field } from "./read/fields.ts";

/** A node of an ONNX graph, without its attributes. */
export interface OutlineNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** An ONNX file without the values of its weights. */
export interface OnnxOutline {
  readonly producer: string;
  /** The texts beside the graph, by key. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly nodes: readonly OutlineNode[];
  /** Names of the graph's outputs. */
  readonly outputs: readonly string[];
}

/** The outline of an ONNX file. Throws `WeightsError` for bytes that are none. */
export function onnxOutline(bytes: Uint8Array, file: string): OnnxOutline {
  const source = memorySource(bytes, file);
  const numbers = (name: OnnxMessageName, ...fields: string[]) => fields.map((field) => fieldNumber(name, field));
  const [graph, props, producerName] = numbers("ModelProto", "graph", "metadata_props", "producer_name");
  const [node, output] = numbers("GraphProto", "node", "output");
  const decode = (name: OnnxMessageName, { start, size }: Field): OnnxMessage =>
    decodeOnnx(name, source.read(start, size));
  let producer = "";
  const metadata: Record<string, string> = {};
  const nodes: OutlineNode[] = [];
  const outputs: string[] = [];
  for (const field of fieldsOf(source, 0, source.size)) {
    if (field.number === producerName) producer = Buffer.from(source.read(field.start, field.size)).toString("utf8");
    if (field.number === props) {
      const { key, value = "" } = decode("StringStringEntryProto", field);
      metadata[String(key)] = String(value);
    }
    if (field.number !== graph) continue;
    for (const part of fieldsOf(source, field.start, field.size)) {
      if (part.number === node) {
        const { op_type: op = "", input = [], output: made = [] } = decode("NodeProto", part);
        nodes.push({ op: String(op), inputs: input as string[], outputs: made as string[] });
      }
      if (part.number === output) outputs.push(String(decode("ValueInfoProto", part)["name"]));
    }
  }
  return { producer, metadata, nodes, outputs };
}
