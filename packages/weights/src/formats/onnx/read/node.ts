import { utf8Text } from "../../../bytes/encoding.ts";
import { WeightsError } from "../../../weights-error.ts";
import { decodeOnnx } from "../protos.ts";
import type { OnnxMessage } from "../protos.ts";
import type { Constant } from "./constant.ts";
import { inlineTensor } from "./tensor-proto.ts";

export type AttributeValue = number | string | readonly number[] | readonly string[] | Constant | Subgraph;

/** One node of the graph. An empty name stands for an optional input or output that is left out. */
export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** The node as errors name it. */
  readonly place: string;
}

/** A part of the graph that a node runs: a branch of an If. */
export interface Subgraph {
  readonly kind: "graph";
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, Constant>;
  /** The names of its results. */
  readonly outputs: readonly string[];
}

const depthLimit = 16;

/** A node of the graph. The values that its branches take from outside are inputs of it, too. */
export function nodeOf(file: string, message: OnnxMessage, index: number, depth = 0): OnnxNode {
  const {
    op_type: op = "",
    name = "",
    domain = "",
    input = [],
    output = [],
    attribute = [],
  } = message as {
    op_type?: string;
    name?: string;
    domain?: string;
    input?: string[];
    output?: string[];
    attribute?: OnnxMessage[];
  };
  const place = `node ${index} ${op}${name === "" ? "" : ` "${name}"`}`;
  const attributes: Record<string, AttributeValue> = Object.create(null) as Record<string, AttributeValue>;
  for (const part of attribute) {
    const value = attributeValue(file, place, part, depth);
    if (value !== undefined) attributes[String(part["name"])] = value;
  }
  const inner = Object.values(attributes).flatMap((value) => (isSubgraph(value) ? captured(value) : []));
  const inputs = inner.length === 0 ? input : [...input, ...new Set(inner)];
  return { name, op, domain: domain === "ai.onnx" ? "" : domain, inputs, outputs: output, attributes, place };
}

export function isSubgraph(value: AttributeValue | undefined): value is Subgraph {
  return typeof value === "object" && "kind" in value && value.kind === "graph";
}

/** The names that a part of the graph takes from outside of it. */
function captured({ nodes, constants, outputs }: Subgraph): string[] {
  const own = new Set([...constants.keys(), ...nodes.flatMap((node) => node.outputs)]);
  const needed = [...nodes.flatMap((node) => node.inputs), ...outputs];
  return needed.filter((name) => name !== "" && !own.has(name));
}

function subgraphOf(file: string, place: string, bytes: Uint8Array, depth: number): Subgraph {
  if (depth >= depthLimit) throw new WeightsError(file, place, `has branches more than ${depthLimit} deep`);
  let graph: OnnxMessage;
  try {
    graph = decodeOnnx("GraphProto", bytes);
  } catch (error) {
    throw new WeightsError(file, place, `expected a graph: ${(error as Error).message}`, { cause: error });
  }
  const list = (name: string): OnnxMessage[] => (graph[name] ?? []) as OnnxMessage[];
  return {
    kind: "graph",
    nodes: list("node").map((node, index) => nodeOf(file, node, index, depth + 1)),
    constants: new Map(
      list("initializer").map((tensor) => [String(tensor["name"]), inlineTensor(file, place, tensor)]),
    ),
    outputs: list("output").map(({ name }) => String(name)),
  };
}

function attributeValue(file: string, place: string, part: OnnxMessage, depth: number): AttributeValue | undefined {
  const text = (bytes: unknown): string => utf8Text(bytes as Uint8Array);
  switch (part["type"]) {
    case 1:
      return Number(part["f"] ?? 0);
    case 2:
      return Number(part["i"] ?? 0);
    case 3:
      return text(part["s"] ?? new Uint8Array(0));
    case 4:
      return inlineTensor(file, `${place}, attribute "${String(part["name"])}"`, part["t"] as OnnxMessage);
    case 5:
      return subgraphOf(file, place, (part["g"] ?? new Uint8Array(0)) as Uint8Array, depth);
    case 6:
      return part["floats"] as number[];
    case 7:
      return part["ints"] as number[];
    case 8:
      return (part["strings"] as unknown[]).map(text);
    default:
      return undefined;
  }
}
