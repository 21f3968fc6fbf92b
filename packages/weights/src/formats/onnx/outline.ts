import { utf8Text } from "../../bytes/encoding.ts";
import { openFile } from "@convkit/weights/platform";
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

/**
 * The outline of an ONNX file, given by its path or its bytes; the values of its weights stay in the file. Throws `WeightsError` for
 * what is no ONNX file.
 */
export function onnxOutline(file: string | Uint8Array, name: string): OnnxOutline {
  const source = typeof file === "string" ? openFile(file) : memorySource(file, name);
  try {
    return outlineOf(source);
  } finally {
    source.close();
  }
}

function outlineOf(source: ByteSource): OnnxOutline {
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
      if (part.number === numbers.graph.node) nodes.push(nodeOf(source, part));
      if (part.number === numbers.graph.output)
        outputs.push(textsOf(source, part, numbers.valueInfo.name).at(-1) ?? "");
    }
  }
  return { producer, metadata, nodes, outputs };
}

/** Nodes of at most so many bytes are read at once; a larger one holds a tensor. */
const smallNode = 1 << 16;

function nodeOf(file: ByteSource, { start, size }: Field): OutlineNode {
  const isSmall = size <= smallNode;
  const source = isSmall ? memorySource(file.read(start, size), file.file) : file;
  const [ops, inputs, outputs]: [string[], string[], string[]] = [[], [], []];
  const { op, input, output } = numbers.node;
  const texts = new Map([[op, ops], [input, inputs], [output, outputs]]); // prettier-ignore
  for (const field of fieldsOf(source, isSmall ? 0 : start, size))
    texts.get(field.number as typeof op)?.push(textOf(source, field));
  return { op: ops.at(-1) ?? "", inputs, outputs };
}

function textOf(source: ByteSource, { start, size }: Field): string {
  return utf8Text(source.read(start, size));
}

/** The texts of the fields of a number within a message. */
function textsOf(source: ByteSource, { start, size }: Field, number: number): string[] {
  return [...fieldsOf(source, start, size)]
    .filter((each) => each.number === number)
    .map((each) => textOf(source, each));
}
