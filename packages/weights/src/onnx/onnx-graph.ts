import { memoryTensor } from "../named-tensor.ts";
import type { NamedTensor } from "../named-tensor.ts";
import { Message } from "./protobuf.ts";

/** A value of the graph. Maps lie channels first here, `[n, c, h, w]`, whatever tfjs does; `shape` is tfjs' order, `[n, h, w, c]`. */
export interface Value {
  readonly name: string;
  readonly shape: readonly (number | null)[];
}

type Attribute = number | string | readonly number[] | { readonly float: number };

const dataTypes = { float: 1, int64: 7 } as const;
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** Collects the nodes and constants of an ONNX graph. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
export class OnnxGraph {
  readonly #nodes: Message[] = [];
  readonly #initializers: Message[] = [];
  readonly #names = new Map<string, number>();
  readonly #constants = new Map<string, string>();

  /** A node of one output, which it names; `prefix` says which layer it comes from. */
  node(
    prefix: string,
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute | undefined>> = {},
  ): string {
    const output = this.#unique(`${prefix}/${op}`);
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    node.text(2, output).text(3, output).text(4, op);
    for (const [name, value] of Object.entries(attributes))
      if (value !== undefined) node.message(5, attribute(name, value));
    this.#nodes.push(node);
    return output;
  }

  /** A weight; its values are read when the file is written. */
  weight(tensor: NamedTensor): string {
    const name = this.#unique(tensor.name);
    const message = new Message();
    for (const size of tensor.shape) message.int(1, size);
    this.#initializers.push(message.int(2, dataTypes.float).text(8, name).tensor(9, tensor));
    return name;
  }

  /** Whole numbers that an operator takes as an input; equal ones are kept once. */
  ints(values: readonly number[]): string {
    const key = `shape_${values.join("_")}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#unique(key);
    this.#constants.set(key, name);
    const data = BigInt64Array.from(values, BigInt);
    this.#initializers.push(
      new Message().int(1, values.length).int(2, dataTypes.int64).text(8, name).raw(9, new Uint8Array(data.buffer)),
    );
    return name;
  }

  floats(prefix: string, values: ArrayLike<number>, shape: readonly number[]): string {
    return this.weight(memoryTensor(`${prefix}/constant`, shape, Float32Array.from(values)));
  }

  /** A name for a graph's output, given by a node that changes nothing. */
  rename(from: string, to: string): void {
    this.#nodes.push(new Message().text(1, from).text(2, to).text(3, `${to}/Identity`).text(4, "Identity"));
  }

  /** Keeps a name free of nodes and constants. */
  reserve(name: string): string {
    return this.#unique(name);
  }

  /** The GraphProto. */
  finish(name: string, inputs: readonly Value[], outputs: readonly Value[]): Message {
    const graph = new Message();
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, name);
    for (const initializer of this.#initializers) graph.message(5, initializer);
    for (const input of inputs) graph.message(11, valueInfo(input));
    for (const output of outputs) graph.message(12, valueInfo(output));
    return graph;
  }

  #unique(name: string): string {
    const count = this.#names.get(name) ?? 0;
    this.#names.set(name, count + 1);
    return count === 0 ? name : this.#unique(`${name}_${count}`);
  }
}

function attribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "string") return message.text(4, value).int(20, attributeTypes.string);
  if (typeof value === "number") return message.int(3, value).int(20, attributeTypes.int);
  if ("float" in value) return message.float(2, value.float).int(20, attributeTypes.float);
  for (const part of value) message.int(8, part);
  return message.int(20, attributeTypes.ints);
}

function valueInfo({ name, shape }: Value): Message {
  const dims = new Message();
  for (const [axis, size] of shape.entries()) {
    dims.message(
      1,
      size === null ? new Message().text(2, axis === 0 ? "batch" : `${name}_${axis}`) : new Message().int(1, size),
    );
  }
  const tensor = new Message().int(1, dataTypes.float).message(2, dims);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}
