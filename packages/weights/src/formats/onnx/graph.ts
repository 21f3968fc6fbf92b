import { utf8Bytes } from "../../bytes/encoding.ts";
import { countOf, memoryTensor } from "../../bytes/named-tensor.ts";
import type { NamedTensor } from "../../bytes/named-tensor.ts";
import { encodeOnnx, fieldStart } from "./protos.ts";
import type { OnnxMessage } from "./protos.ts";

/** A part of the file: bytes, or a tensor whose values are read when they are written. */
export type FilePart = Uint8Array | NamedTensor;

/** The types of values. */
export type OnnxType = "float32" | "int32" | "bool";

/** A graph value. ONNX has feature maps channels first, `[n, c, h, w]`; `shape` is in tfjs' order, `[n, h, w, c]`. */
export interface Value {
  readonly name: string;
  readonly shape: readonly (number | null)[];
  /** float32 by default. */
  readonly dtype?: OnnxType;
}

type Attribute = number | string | readonly number[] | { readonly float: number };

/** ONNX's numbers of types. */
export const dataTypes = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** Collects the nodes, constants and weights of an ONNX graph. */
export class OnnxGraph {
  readonly #nodes: OnnxMessage[] = [];
  readonly #constantTensors: OnnxMessage[] = [];
  readonly #weights: { readonly name: string; readonly tensor: NamedTensor }[] = [];
  readonly #makers = new Map<string, string>();
  readonly #names = new Map<string, number>();
  readonly #constants = new Map<string, string>();

  /** Adds a node with one output and returns the output's name, which begins with `prefix`, the layer's name. */
  node(
    prefix: string,
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute | undefined>> = {},
  ): string {
    return this.nodes(prefix, op, inputs, 1, attributes)[0]!;
  }

  /** Adds a node with several outputs and returns their names. */
  nodes(
    prefix: string,
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, Attribute | undefined>> = {},
  ): string[] {
    const outputs = Array.from({ length: count }, () => this.#unique(`${prefix}/${op}`));
    for (const output of outputs) this.#makers.set(output, op);
    this.#nodes.push({
      input: inputs,
      output: outputs,
      name: outputs[0],
      op_type: op,
      attribute: Object.entries(attributes).flatMap(([key, value]) =>
        value === undefined ? [] : attribute(key, value),
      ),
    });
    return outputs;
  }

  /** The operator that a value comes from; undefined for an input or a weight. */
  makerOf(value: string): string | undefined {
    return this.#makers.get(value);
  }

  /** Adds a weight and returns its name. Its values are read when the file is written. */
  weight(tensor: NamedTensor): string {
    const name = this.#unique(tensor.name);
    this.#weights.push({ name, tensor });
    return name;
  }

  /** Adds a constant of whole numbers, or reuses an equal one; returns its name. */
  ints(values: readonly number[]): string {
    const key = `shape_${values.join("_")}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#unique(key);
    this.#constants.set(key, name);
    const data = BigInt64Array.from(values, BigInt);
    this.#constantTensors.push({
      dims: [values.length],
      data_type: dataTypes.int64,
      name,
      raw_data: new Uint8Array(data.buffer),
    });
    return name;
  }

  floats(prefix: string, values: ArrayLike<number>, shape: readonly number[]): string {
    return this.weight(memoryTensor(`${prefix}/constant`, shape, Float32Array.from(values)));
  }

  int32(prefix: string, values: ArrayLike<number>, shape: readonly number[]): string {
    return this.weight(memoryTensor(`${prefix}/constant`, shape, Int32Array.from(values)));
  }

  /** Runs `body`; if it throws, takes back the nodes and weights that it added. */
  attempt<T>(body: () => T): T {
    const [nodes, weights] = [this.#nodes.length, this.#weights.length];
    try {
      return body();
    } catch (error) {
      this.#nodes.length = nodes;
      this.#weights.length = weights;
      throw error;
    }
  }

  /** Renames a graph output with an Identity node. */
  rename(from: string, to: string): void {
    this.#nodes.push({ input: [from], output: [to], name: `${to}/Identity`, op_type: "Identity" });
  }

  /** Reserves a name, so that no node or constant uses it. */
  reserve(name: string): string {
    return this.#unique(name);
  }

  /** The parts of the GraphProto, in the file's order. */
  finish(name: string, inputs: readonly Value[], outputs: readonly Value[]): FilePart[] {
    const graph = encodeOnnx("GraphProto", {
      node: this.#nodes,
      name,
      initializer: this.#constantTensors,
      input: inputs.map(valueInfo),
      output: outputs.map(valueInfo),
    });
    return [graph, ...this.#weights.flatMap(weightParts)];
  }

  #unique(name: string): string {
    const count = this.#names.get(name) ?? 0;
    this.#names.set(name, count + 1);
    return count === 0 ? name : this.#unique(`${name}_${count}`);
  }
}

/** The bytes of a part. */
export function partBytes(part: FilePart): number {
  return part instanceof Uint8Array ? part.byteLength : countOf(part.shape) * Float32Array.BYTES_PER_ELEMENT;
}

function weightParts({ name, tensor }: { readonly name: string; readonly tensor: NamedTensor }): FilePart[] {
  const type = tensor.dtype === "int32" ? dataTypes.int32 : dataTypes.float32;
  const about = encodeOnnx("TensorProto", { dims: tensor.shape, data_type: type, name });
  const size = partBytes(tensor);
  const start = fieldStart("TensorProto", "raw_data", size);
  return [fieldStart("GraphProto", "initializer", about.byteLength + start.byteLength + size), about, start, tensor];
}

function attribute(name: string, value: Attribute): OnnxMessage {
  if (typeof value === "string") return { name, s: utf8Bytes(value), type: attributeTypes.string };
  if (typeof value === "number") return { name, i: value, type: attributeTypes.int };
  if ("float" in value) return { name, f: value.float, type: attributeTypes.float };
  return { name, ints: value, type: attributeTypes.ints };
}

function valueInfo({ name, shape, dtype = "float32" }: Value): OnnxMessage {
  const dim = shape.map((size, axis) =>
    size === null ? { dim_param: axis === 0 ? "batch" : `${name}_${axis}` } : { dim_value: size },
  );
  return { name, type: { tensor_type: { elem_type: dataTypes[dtype], shape: { dim } } } };
}
