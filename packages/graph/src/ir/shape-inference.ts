import { attr } from "./attrs.ts";
import { outputOf } from "./graph-node.ts";
import type { Output, Ref, GraphNode } from "./graph-node.ts";
import { DT, sizeOf } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import { encode } from "../native/protos.ts";
import { checked, output, tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";
import type { OpDef } from "./op-defs.ts";

/** Constants up to this many elements are passed to TensorFlow's shape functions (axes, sizes, paddings). */
const SHOWN_ELEMENTS = 256;

/** Types whose values no size is computed from, and the ops that compute a size from them all the same. */
const VALUES: ReadonlySet<number> = new Set([DT.float32, DT.bfloat16, DT.float16, DT.bool]);
const SIZED_BY_VALUES: ReadonlySet<string> = new Set(["Range", "LinSpace"]);

/**
 * TensorFlow's own type and shape inference: recorded nodes are added to a graph that is never run. So tracing computes
 * nothing, whatever the size of the network. A node like an earlier one has its outputs: the steps of a recurrent layer
 * are thousands of nodes of a few kinds.
 */
export class Inference {
  readonly #graph: Handle = tensorflow().TF_NewGraph() as Handle;
  readonly #operations = new Map<GraphNode, Handle>();
  readonly #known = new Map<string, readonly Output[]>();
  /** Stand-ins for the outputs of nodes that are not in the graph, by type and shape. */
  readonly #standIns = new Map<string, Handle>();
  /** Numbers of the nodes that others depend on by more than the type and shape of their outputs. */
  readonly #numbers = new Map<GraphNode, number>();
  /** Nodes that depend on no input and no variable: TensorFlow may compute sizes from their values. */
  readonly #constant = new Set<GraphNode>();
  #count = 0;

  /** Returns the outputs of a node. Throws TensorFlow's error, or an error if a size depends on data. */
  add(node: GraphNode, def: OpDef): Output[] {
    const isConstant = node.inputs.every(({ node: from }) => from.op === "Const" || this.#constant.has(from));
    if (isConstant) this.#constant.add(node);
    const isKind = !isConstant && !def.is_stateful && !SIZED_BY_VALUES.has(node.op);
    const kind = isKind ? this.#kindOf(node) : undefined;
    const known = kind === undefined ? undefined : this.#known.get(kind);
    if (known !== undefined) return known.map((output) => ({ ...output }));
    const outputs = this.#infer(node, def);
    if (kind !== undefined && outputs.every(({ dtype }) => VALUES.has(dtype))) this.#known.set(kind, outputs);
    return outputs;
  }

  /** Equal for nodes with equal outputs: op, attributes, and what the outputs may depend on of each input. */
  #kindOf({ op, attrs, inputs }: GraphNode): string {
    const parts = inputs.map((ref) => {
      const { dtype, shape } = outputOf(ref);
      const { node } = ref;
      if (VALUES.has(dtype) && node.op !== "Const" && !this.#constant.has(node)) return `${dtype}[${shape.join()}]`;
      let number = this.#numbers.get(node);
      if (number === undefined) this.#numbers.set(node, (number = this.#numbers.size));
      return `${number}:${ref.index}`;
    });
    return `${op} ${parts.join(" ")} ${JSON.stringify(attrs)}`;
  }

  #infer(node: GraphNode, def: OpDef): Output[] {
    const tf = tensorflow();
    const oper = this.#build(node, def);
    this.#operations.set(node, oper);
    return outputCounts(def, node).map((_, index) => {
      const at = output(oper, index);
      const dtype = tf.TF_OperationOutputType(at) as number;
      const rank = checked(
        (status) => tf.TF_GraphGetTensorNumDims(this.#graph, at, status) as number,
        `the shape of ${node.op}`,
      );
      // The output that fused batch norm passes to its gradient (cuDNN's workspace) has no known shape and needs none.
      if (rank < 0 && node.op.startsWith("FusedBatchNorm")) return { dtype, shape: [] };
      if (rank < 0) throw dataDependent(node);
      const dims: bigint[] | number[] = Array.from({ length: rank }, () => 0);
      if (rank > 0)
        checked((status) => tf.TF_GraphGetTensorShape(this.#graph, at, dims, rank, status), `the shape of ${node.op}`);
      const shape = dims.map(Number);
      if (shape.some((size) => size < 0)) throw dataDependent(node);
      return { dtype, shape };
    });
  }

  dispose(): void {
    tensorflow().TF_DeleteGraph(this.#graph);
    for (const each of [this.#operations, this.#known, this.#standIns, this.#numbers, this.#constant]) each.clear();
  }

  #build(node: GraphNode, def: OpDef): Handle {
    const tf = tensorflow();
    const description = tf.TF_NewOperation(this.#graph, node.op, `n${this.#count++}`) as Handle;
    let at = 0;
    for (const arg of def.input_arg) {
      const many = arg.number_attr !== "" || arg.type_list_attr !== "";
      if (!many) {
        tf.TF_AddInput(description, this.#source(node.inputs[at++] as Ref));
        continue;
      }
      const count =
        arg.number_attr !== "" ? (node.attrs[arg.number_attr]?.["i"] as number) : listLength(node, arg.type_list_attr);
      const refs = node.inputs.slice(at, at + count).map((ref) => this.#source(ref));
      at += count;
      tf.TF_AddInputList(description, refs, count);
    }
    for (const [name, value] of Object.entries(node.attrs)) {
      const bytes = encode("AttrValue", value);
      checked(
        (status) => tf.TF_SetAttrValueProto(description, name, bytes, bytes.length, status),
        `the attribute ${name} of ${node.op}`,
      );
    }
    return checked((status) => tf.TF_FinishOperation(description, status) as Handle, `${node.op}`);
  }

  #source(ref: Ref): { oper: Handle; index: number } {
    const { node, index } = ref;
    const oper = this.#operations.get(node);
    if (oper !== undefined) return output(oper, index);
    if (node.op !== "VarHandleOp" && !isShown(node)) return output(this.#standIn(outputOf(ref)), 0);
    const leaf = this.#addLeaf(node.op, node.attrs);
    this.#operations.set(node, leaf);
    return output(leaf, index);
  }

  /** A placeholder for an input, a big constant, or a node like an earlier one: TensorFlow sees only type and shape. */
  #standIn({ dtype, shape }: Output): Handle {
    const key = `${dtype}[${shape.join()}]`;
    let oper = this.#standIns.get(key);
    if (oper === undefined) {
      oper = this.#addLeaf("Placeholder", { dtype: attr.type(dtype), shape: attr.shape(shape) });
      this.#standIns.set(key, oper);
    }
    return oper;
  }

  #addLeaf(op: string, attrs: GraphNode["attrs"]): Handle {
    const tf = tensorflow();
    const description = tf.TF_NewOperation(this.#graph, op, `n${this.#count++}`) as Handle;
    for (const [name, value] of Object.entries(attrs)) {
      const bytes = encode("AttrValue", value);
      checked(
        (status) => tf.TF_SetAttrValueProto(description, name, bytes, bytes.length, status),
        `the attribute ${name} of ${op}`,
      );
    }
    return checked((status) => tf.TF_FinishOperation(description, status) as Handle, op);
  }
}

/** True for a constant whose values TensorFlow's shape functions see. */
function isShown({ op, outputs }: GraphNode): boolean {
  return op === "Const" && sizeOf((outputs[0] as Output).shape) <= SHOWN_ELEMENTS;
}

/** One entry per output tensor of the node. */
function outputCounts(def: OpDef, node: GraphNode): undefined[] {
  let count = 0;
  for (const arg of def.output_arg) {
    if (arg.number_attr !== "") count += node.attrs[arg.number_attr]?.["i"] as number;
    else if (arg.type_list_attr !== "") count += listLength(node, arg.type_list_attr);
    else count += 1;
  }
  return Array.from({ length: count });
}

function listLength(node: GraphNode, name: string): number {
  const { list } = node.attrs[name] as { list: { type: number[] } };
  return list.type.length;
}

function dataDependent(node: GraphNode): GraphError {
  return new GraphError(
    `The op ${node.op} has a result whose size depends on data, and a compiled function needs sizes that are known when it is traced; compute it outside, or with ops of fixed size (tf.where, masks).`,
  );
}
