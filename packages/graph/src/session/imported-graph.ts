import { constNode } from "../ir/builder.ts";
import { constantOf } from "../ir/constants.ts";
import { graphDef, outputOf } from "../ir/graph-node.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import { GraphError } from "../graph-error.ts";
import { makeNative, readNative } from "../native/tensor.ts";
import { encode } from "../native/protos.ts";
import { checked, output, tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";

/** Constants of at least this many bytes are not sent as protobufs. */
const BIG_CONSTANT = 1 << 16;

/** A TF_Graph and the nodes that were imported into it. `dispose` frees the graph. */
export class SessionGraph {
  readonly handle: Handle;
  readonly #device: string | undefined;
  readonly #nodes = new Map<string, GraphNode>();
  /** Names of big constants in the graph, by their nodes' names. */
  readonly #constants = new Map<string, string>();

  /** `device` is where all nodes run; by default TensorFlow chooses. */
  constructor(handle: Handle, device?: string) {
    this.handle = handle;
    this.#device = device;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Adds nodes, which are ordered: inputs come first. */
  import(nodes: readonly GraphNode[]): void {
    const tf = tensorflow();
    const big = nodes.filter(isBigConstant);
    for (const node of big) this.#addConstant(node);
    const bytes = encode(
      "GraphDef",
      graphDef(big.length === 0 ? nodes : nodes.filter((node) => !isBigConstant(node)), this.#device),
    );
    if (bytes.length >= 2 ** 31)
      throw new GraphError(`A graph of ${bytes.length} bytes is over protobuf's 2 GiB; make big constants variables.`);
    const buffer = tf.TF_NewBufferFromString(bytes, bytes.length) as Handle;
    const options = tf.TF_NewImportGraphDefOptions() as Handle;
    for (const { name } of big)
      tf.TF_ImportGraphDefOptionsAddInputMapping(options, name, 0, output(this.operation(name), 0));
    try {
      checked((status) => tf.TF_GraphImportGraphDef(this.handle, buffer, options, status), "the compiled graph");
    } finally {
      tf.TF_DeleteImportGraphDefOptions(options);
      tf.TF_DeleteBuffer(buffer);
    }
    for (const node of nodes) this.#nodes.set(node.name, node);
  }

  /** The operation of a node. */
  operation(name: string): Handle {
    const operation = tensorflow().TF_GraphOperationByName(this.handle, this.#constants.get(name) ?? name) as Handle;
    if (operation === 0) throw new GraphError(`The graph has no operation "${name}".`);
    return operation;
  }

  /** The imported nodes that `roots` and all wanted nodes need, ready to be imported into another graph. */
  needed(roots: Iterable<string>, isWanted: (name: string) => boolean): GraphNode[] {
    const found = new Set<string>();
    const open = [...roots, ...[...this.#nodes.keys()].filter(isWanted)];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const node = found.has(name) ? undefined : this.#nodes.get(name);
      if (node === undefined) continue;
      found.add(name);
      for (const input of node.inputs) open.push(input.node.name);
      for (const before of node.control) open.push(before.name);
    }
    return [...this.#nodes.values()].filter(({ name }) => found.has(name)).map((node) => this.#whole(node));
  }

  dispose(): void {
    tensorflow().TF_DeleteGraph(this.handle);
  }

  /** Adds a constant without a protobuf: protobufs are limited to 2 GiB and would cost two more copies. */
  #addConstant(node: GraphNode): void {
    const tf = tensorflow();
    const { dtype, shape } = outputOf({ node, index: 0 });
    // The name has no slashes: TensorFlow refuses a node with the name of an existing scope.
    const name = `constant${this.#constants.size}`;
    this.#constants.set(node.name, name);
    const tensor = makeNative(dtype, shape, constantOf(node)!);
    const description = tf.TF_NewOperation(this.handle, "Const", name) as Handle;
    tf.TF_SetAttrType(description, "dtype", dtype);
    if (this.#device !== undefined) tf.TF_SetDevice(description, this.#device);
    try {
      checked((status) => tf.TF_SetAttrTensor(description, "value", tensor, status), `the constant ${node.name}`);
      checked((status) => tf.TF_FinishOperation(description, status), `the constant ${node.name}`);
    } finally {
      tf.TF_DeleteTensor(tensor);
    }
  }

  /** The node with its value, which only the graph still has after a constant was imported. */
  #whole(node: GraphNode): GraphNode {
    if (node.op !== "Const") return node;
    const tf = tensorflow();
    const at = new BigUint64Array(1);
    const operation = this.operation(node.name);
    checked((status) => tf.TF_OperationGetAttrTensor(operation, "value", at, status), `the constant ${node.name}`);
    const tensor = Number(at[0]);
    const { dtype, shape, values } = readNative(tensor);
    tf.TF_DeleteTensor(tensor);
    return constNode(node.name, dtype, shape, values);
  }
}

function isBigConstant(node: GraphNode): boolean {
  return (constantOf(node)?.byteLength ?? 0) >= BIG_CONSTANT;
}
