import { attr } from "./attrs.ts";
import type { Output, Ref, GraphNode } from "./graph-node.ts";
import { GraphError } from "../graph-error.ts";
import { encode } from "../native/protos.ts";
import { checked, output, tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";
import type { OpDef } from "./op-defs.ts";

/** Constants up to this many elements are passed to TensorFlow's shape functions (axes, sizes, paddings). */
const SHOWN_ELEMENTS = 256;

/**
 * TensorFlow's own type and shape inference: every recorded node is added to a graph that is never run. So tracing
 * computes nothing, whatever the size of the network.
 */
export class Inference {
  readonly #graph: Handle = tensorflow().TF_NewGraph() as Handle;
  readonly #operations = new Map<GraphNode, Handle>();
  #count = 0;

  /** Adds a node and returns its outputs. Throws TensorFlow's error, or an error if a size depends on data. */
  add(node: GraphNode, def: OpDef): Output[] {
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
    this.#operations.clear();
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

  #source({ node, index }: Ref): { oper: Handle; index: number } {
    let oper = this.#operations.get(node);
    if (oper === undefined) {
      oper = this.#leaf(node);
      this.#operations.set(node, oper);
    }
    return output(oper, index);
  }

  /** Adds constants, inputs and variables at their first use; for big constants TensorFlow sees only the shape. */
  #leaf(node: GraphNode): Handle {
    const tf = tensorflow();
    const [{ dtype, shape }] = node.outputs as [Output];
    const shown = node.op === "Const" && shape.reduce((a, b) => a * b, 1) <= SHOWN_ELEMENTS;
    const op = shown || node.op === "VarHandleOp" ? node.op : "Placeholder";
    const attrs = op === "Placeholder" ? { dtype: attr.type(dtype), shape: attr.shape(shape) } : node.attrs;
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
