import { memorySource } from "../../bytes/byte-source.ts";
import type { ByteSource } from "../../bytes/byte-source.ts";
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

/** Numbers of fields in onnx.proto: the library that knows all of them takes longer to load than a small network to open. */
const numbers = {
  model: { producer: 2, graph: 7, metadata: 14 },
  graph: { node: 1, output: 12 },
  node: { input: 1, output: 2, op: 4 },
  valueInfo: { name: 1 },
  entry: { key: 1, value: 2 },
} as const;

/** The outline of an ONNX file. Throws `WeightsError` for bytes that are none. */
export function onnxOutline(bytes: Uint8Array, file: string): OnnxOutline {
  const source = memorySource(bytes, file);
  let producer = "";
  const metadata: Record<string, string> = {};
  const nodes: OutlineNode[] = [];
  const outputs: string[] = [];
  for (const field of fieldsOf(source, 0, source.size)) {
    if (field.number === numbers.model.producer) producer = textOf(source, field);
    if (field.number === numbers.model.metadata) {
      const { key, value } = numbers.entry;
      metadata[textsOf(source, field, key).at(-1) ?? ""] = textsOf(source, field, value).at(-1) ?? "";
    }
    if (field.number !== numbers.model.graph) continue;
    for (const part of fieldsOf(source, field.start, field.size)) {
      if (part.number === numbers.graph.node) {
        const { op, input, output } = numbers.node;
        const [ops, inputs, made] = [op, input, output].map((number) => textsOf(source, part, number));
        nodes.push({ op: ops!.at(-1) ?? "", inputs: inputs!, outputs: made! });
      }
      if (part.number === numbers.graph.output)
        outputs.push(textsOf(source, part, numbers.valueInfo.name).at(-1) ?? "");
    }
  }
  return { producer, metadata, nodes, outputs };
}

function textOf(source: ByteSource, { start, size }: Field): string {
  return Buffer.from(source.read(start, size)).toString("utf8");
}

/** The texts of the fields of a number within a message. */
function textsOf(source: ByteSource, { start, size }: Field, number: number): string[] {
  return [...fieldsOf(source, start, size)]
    .filter((each) => each.number === number)
    .map((each) => textOf(source, each));
}
