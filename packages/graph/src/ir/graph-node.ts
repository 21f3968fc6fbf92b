import { attr, attrOf } from "./attrs.ts";
import type { Attr } from "./attrs.ts";
import { dtypeName, sizeOf } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import { opDef } from "./op-defs.ts";
import type { OpDef } from "./op-defs.ts";
import type { Message } from "../native/protos.ts";

/** Type and shape of a node's output. */
export interface Output {
  dtype: number;
  shape: readonly number[];
}

/** One output of one node. */
export interface Ref {
  node: GraphNode;
  index: number;
}

/** A recorded operation. */
export interface GraphNode {
  name: string;
  op: string;
  inputs: Ref[];
  control: GraphNode[];
  attrs: Record<string, Attr>;
  outputs: Output[];
  /** The attributes as tfjs gave them, to compute the node eagerly if its value is needed at once. */
  eager?: readonly EagerAttr[];
  /** The line of the user's code that called the op. */
  at?: string;
}

/** An attribute in the format of tfjs-node's kernels. */
export interface EagerAttr {
  name: string;
  type: number;
  value: unknown;
}

export function outputOf(ref: Ref): Output {
  return ref.node.outputs[ref.index] as Output;
}

/** All attributes that importing a node needs. tfjs omits the ones that its eager executor infers. */
export function nodeAttrs(op: string, given: readonly EagerAttr[], inputs: readonly Ref[]): Record<string, Attr> {
  const def = opDef(op);
  if (def === undefined)
    throw new GraphError(`TensorFlow knows no op "${op}", so it cannot be compiled; run the function eagerly instead.`);
  const attrs: Record<string, Attr> = {};
  for (const { name, value } of given) {
    const kind = def.kinds.get(name);
    if (kind !== undefined && value !== undefined && value !== null) attrs[name] = attrOf(kind, value);
  }
  inferTypes(def, attrs, inputs);
  return attrs;
}

/** Infers the type and length attributes from the inputs. */
function inferTypes(def: OpDef, attrs: Record<string, Attr>, inputs: readonly Ref[]): void {
  let at = 0;
  const lists = def.input_arg.filter((arg) => arg.number_attr !== "" || arg.type_list_attr !== "").length;
  for (const arg of def.input_arg) {
    const many = arg.number_attr !== "" || arg.type_list_attr !== "";
    const stated = attrs[arg.number_attr]?.["i"] as number | undefined;
    const count = !many ? 1 : (stated ?? (lists === 1 ? inputs.length - (def.input_arg.length - 1) : 1));
    const types = inputs.slice(at, at + count).map((ref) => outputOf(ref).dtype);
    at += count;
    if (arg.number_attr !== "") attrs[arg.number_attr] ??= attr.int(count);
    if (arg.type_list_attr !== "") attrs[arg.type_list_attr] ??= attr.types(types);
    const [first] = types;
    // The eager executor ignores the kernel's stated type and uses the tensors' (Mean states bool for an input it has
    // cast).
    if (arg.type_attr !== "" && first !== undefined) attrs[arg.type_attr] = attr.type(first);
  }
  if (at !== inputs.length)
    throw new GraphError(`The op ${def.name} takes ${at} inputs, and ${inputs.length} were given.`);
}

/** The NodeDef message of a node. */
function nodeDef(node: GraphNode, device: string | undefined): Message {
  return {
    name: node.name,
    op: node.op,
    input: [
      ...node.inputs.map(({ node: from, index }) => (index === 0 ? from.name : `${from.name}:${index}`)),
      ...new Set(node.control.map((from) => `^${from.name}`)),
    ],
    attr: node.attrs,
    ...(device !== undefined && { device }),
  };
}

/** The GraphDef message of nodes in topological order, inputs first; `device` is where all run, by default TensorFlow chooses. */
export function graphDef(nodes: readonly GraphNode[], device?: string): Message {
  return { node: nodes.map((node) => nodeDef(node, device)), versions: { producer: 1882, min_consumer: 12 } };
}

/** The nodes that `roots` need, inputs first. Not recursive, since networks are deep. */
export function reachable(roots: readonly GraphNode[]): GraphNode[] {
  const order: GraphNode[] = [];
  const state = new Map<GraphNode, "open" | "done">();
  const stack = [...roots].toReversed();
  while (stack.length > 0) {
    const node = stack.at(-1) as GraphNode;
    if (state.get(node) === undefined) {
      state.set(node, "open");
      for (const { node: from } of node.inputs) if (!state.has(from)) stack.push(from);
      for (const from of node.control) if (!state.has(from)) stack.push(from);
    } else {
      stack.pop();
      if (state.get(node) === "open") order.push(node);
      state.set(node, "done");
    }
  }
  return order;
}

/**
 * The nodes that `roots` need, inputs first, and the number of uses of each. Inputs, control edges and being a root
 * count.
 */
export function withUses(roots: readonly GraphNode[]): { nodes: GraphNode[]; uses: (node: GraphNode) => number } {
  const nodes = reachable(roots);
  const counts = new Map<GraphNode, number>();
  const used = [...roots, ...nodes.flatMap(({ inputs, control }) => [...inputs.map(({ node }) => node), ...control])];
  for (const node of used) counts.set(node, (counts.get(node) ?? 0) + 1);
  return { nodes, uses: (node) => counts.get(node) ?? 0 };
}

/** "float32 [32, 10]": a tensor as errors and descriptions print it. */
export function describeOutput({ dtype, shape }: Output): string {
  return `${dtypeName(dtype)} [${shape.join(", ")}]`;
}

/** The number of elements of an output. */
export function elementsOf({ shape }: Output): number {
  return sizeOf(shape);
}
