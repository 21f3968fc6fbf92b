import { shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { countOf, memoryTensor } from "../../../bytes/named-tensor.ts";
import type { Assignment } from "../../../model/assign.ts";
import { Identity } from "../../../layers/base-layers.ts";
import { weightName } from "../../../model/weight-name.ts";
import { Operation } from "../../../operations/operation.ts";
import { Values } from "../../../operations/values.ts";
import { safeName } from "../../keras/layer-paths.ts";
import { WeightsError } from "../../../weights-error.ts";
import { constantOf } from "./constant.ts";
import type { Constant, ElementKind } from "./constant.ts";
import type { OnnxFile } from "./file.ts";
import type { AttributeValue, OnnxNode, Subgraph } from "./node.ts";
import { layerNameOf } from "./layer-names.ts";
import { sizeOfAxis } from "./signal.ts";
import type { Axis, Signal } from "./signal.ts";
import { isKnownSize } from "./sizes.ts";
import type { Size } from "./sizes.ts";

/** Whole numbers of which some are known only when the model runs: a shape, or one size of it. */
export interface Sizes {
  readonly kind: "sizes";
  readonly isScalar: boolean;
  readonly items: readonly Size[];
}

export type Value = Signal | Constant | Sizes;

interface Arrangement {
  readonly from: readonly Axis[];
  readonly want: readonly Axis[];
  readonly tensor: tfl.SymbolicTensor;
}

/** The values of a layer's weights, by tfjs' name, in the order of tfjs' axes. */
export type WeightValues = Readonly<Record<string, (() => Float32Array<ArrayBuffer>) | undefined>>;

/** A method of tfjs' layers that its types leave out. */
interface FastWeights {
  setFastWeightInitDuringBuild(fast: boolean): void;
}

/** The largest published networks have a few thousand layers. */
const layerLimit = 50_000;

/** What is known while a graph is turned into a model: the values by name, the layers and their weights. */
export class Builder {
  readonly onnx: OnnxFile;
  readonly values = new Map<string, Value>();
  readonly assignments: Assignment[] = [];
  /** The axis of the batch, and an input of the model that has it. */
  batch: { readonly axis: Axis; readonly signal: Signal } | undefined;
  /** The number of images that the file fixes; the model takes any. */
  statedBatch: number | undefined;
  /** Reads nodes in their order; set by the reader of the whole graph. */
  run: (nodes: readonly OnnxNode[]) => void = () => undefined;
  readonly #layers = new Set<tfl.layers.Layer>();
  readonly #names = new Set<string>();
  readonly #shared = new Map<string, tfl.layers.Layer>();
  readonly #users = new Map<string, OnnxNode[]>();
  readonly #outputs: ReadonlySet<string>;
  /** Arrangements that were made, by tensor: several nodes may need the same. */
  readonly arrangements = new Map<tfl.SymbolicTensor, Arrangement[]>();
  readonly #skipped = new Map<OnnxNode, Value>();
  /** Elements that constants may still take: a file cannot ask for more than it has bytes for. */
  #room: number;

  constructor(onnx: OnnxFile) {
    this.onnx = onnx;
    this.#room = onnx.size + 4_000_000;
    this.#outputs = new Set(onnx.outputs.map(({ name }) => name));
    this.#countUsers(onnx.nodes);
  }

  #countUsers(nodes: readonly OnnxNode[]): void {
    for (const node of nodes)
      for (const name of new Set(node.inputs)) this.#users.set(name, [...(this.#users.get(name) ?? []), node]);
  }

  /** Reads the nodes of a branch in place of the node that holds it: the values of the branch's outputs. */
  branch(node: OnnxNode, { nodes, constants, outputs }: Subgraph): Value[] {
    this.#countUsers(nodes);
    for (const [name, constant] of constants) this.values.set(name, constant);
    this.run(nodes);
    return outputs.map((name) => this.values.get(name) ?? this.refuse(node, `no node of its branch makes "${name}"`));
  }

  refuse(node: OnnxNode, problem: string): never {
    throw new WeightsError(this.onnx.file, node.place, problem);
  }

  /** The only node that takes a value; undefined if others take it, or if it is an output of the model. */
  onlyUser(name: string): OnnxNode | undefined {
    const users = this.#users.get(name) ?? [];
    return users.length === 1 && !this.#outputs.has(name) ? users[0] : undefined;
  }

  /** States the result of a node that a node before it computes along with its own. */
  skip(node: OnnxNode, value: Value): void {
    this.#skipped.set(node, value);
  }

  skipped(node: OnnxNode): Value | undefined {
    return this.#skipped.get(node);
  }

  /** Whether a node or an output of the model takes a value. */
  isUsed(name: string): boolean {
    return this.#outputs.has(name) || (this.#users.get(name) ?? []).length > 0;
  }

  users(name: string): readonly OnnxNode[] {
    return this.#users.get(name) ?? [];
  }

  /** An input of a node; undefined if it is left out. */
  optional(node: OnnxNode, index: number): Value | undefined {
    const name = node.inputs[index];
    if (name === undefined || name === "") return undefined;
    return this.values.get(name) ?? this.refuse(node, `takes "${name}", which does not exist or depends on this node`);
  }

  input(node: OnnxNode, index: number): Value {
    return this.optional(node, index) ?? this.refuse(node, `expected an input ${index}`);
  }

  signal(node: OnnxNode, index = 0): Signal {
    const value = this.input(node, index);
    return value.kind === "signal"
      ? value
      : this.refuse(node, `expected its input ${index} to depend on the model's input`);
  }

  /** An input that must be constant. */
  constant(node: OnnxNode, index: number): Constant {
    return this.optionalConstant(node, index) ?? this.refuse(node, `expected an input ${index}`);
  }

  optionalConstant(node: OnnxNode, index: number): Constant | undefined {
    const value = this.optional(node, index);
    if (value === undefined || value.kind === "constant") return value;
    const sizes = value.kind === "sizes" && value.items.every(isKnownSize) ? value : undefined;
    if (sizes !== undefined)
      return constantOf(sizes.isScalar ? [] : [sizes.items.length], "int", sizes.items as number[]);
    return this.refuse(node, `expected its input ${index}, "${node.inputs[index]}", to be constant`);
  }

  /** Whole numbers from an input or, in older operator sets, from an attribute. */
  numbers(node: OnnxNode, index: number, attribute: string): number[] | undefined {
    const value = this.optionalConstant(node, index);
    return value === undefined ? this.ints(node, attribute) : Array.from(value.read());
  }

  ints(node: OnnxNode, name: string): number[] | undefined {
    const value = node.attributes[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((part) => typeof part === "number"))
      return this.refuse(node, `expected numbers as its ${name}, got ${shown(value)}`);
    return value as number[];
  }

  number(node: OnnxNode, name: string, otherwise: number): number {
    const value = node.attributes[name] ?? otherwise;
    return typeof value === "number"
      ? value
      : this.refuse(node, `expected a number as its ${name}, got ${shown(value)}`);
  }

  word(node: OnnxNode, name: string, otherwise: string): string {
    const value: AttributeValue = node.attributes[name] ?? otherwise;
    return typeof value === "string" ? value : this.refuse(node, `expected a word as its ${name}, got ${shown(value)}`);
  }

  /** An axis counted from the front. */
  axis(node: OnnxNode, axis: number, rank: number): number {
    const own = axis < 0 ? axis + rank : axis;
    return Number.isInteger(own) && own >= 0 && own < rank
      ? own
      : this.refuse(node, `expected an axis of ${rank}, got ${axis}`);
  }

  /** Takes room for a constant of this shape; throws for one that is larger than the file allows. */
  takeRoom(node: OnnxNode, shape: readonly number[]): void {
    const count = countOf(shape);
    if (!(count <= this.#room))
      this.refuse(node, `a constant of [${shape.join(", ")}] is more than the file has numbers for`);
    this.#room -= count;
  }

  /** A free name for a layer of a node. `suffix` tells several layers of a node apart. */
  layerName(node: OnnxNode, suffix = ""): string {
    const base = safeName(layerNameOf(node)) + suffix;
    let name = base;
    for (let count = 1; this.#names.has(name); count++) name = `${base}_${count}`;
    this.#names.add(name);
    return name;
  }

  reserve(name: string): string {
    const own = safeName(name);
    this.#names.add(own);
    return own;
  }

  /** Applies a layer. A tensor that comes twice goes through an Identity layer, since tfjs would free it too early. */
  apply(node: OnnxNode, layer: tfl.layers.Layer, inputs: readonly tfl.SymbolicTensor[]): tfl.SymbolicTensor[] {
    this.#layers.add(layer);
    if (this.#layers.size > layerLimit) this.refuse(node, `the model has more than ${layerLimit} layers`);
    const seen = new Set<tfl.SymbolicTensor>();
    const distinct = inputs.map((tensor) => {
      if (seen.size < seen.add(tensor).size) return tensor;
      return new Identity({ name: this.layerName(node, ".again") }).apply(tensor) as tfl.SymbolicTensor;
    });
    try {
      return [layer.apply(distinct.length === 1 ? distinct[0]! : distinct)].flat() as tfl.SymbolicTensor[];
    } catch (error) {
      if (error instanceof WeightsError) throw error;
      throw new WeightsError(this.onnx.file, node.place, `tfjs cannot join it: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** Applies a layer of one input and one output with weights of the file, as `applyWithStates` does. */
  applyWeighted(
    node: OnnxNode,
    tensor: tfl.SymbolicTensor,
    key: unknown,
    make: (name: string) => tfl.layers.Layer,
    weights: WeightValues,
  ): tfl.SymbolicTensor {
    return this.applyWithStates(node, [tensor], key, make, weights)[0]!;
  }

  /**
   * Applies a layer with weights of the file to a tensor and initial states. Nodes with the same weights and options share
   * one layer; `key` tells the options apart.
   */
  applyWithStates(
    node: OnnxNode,
    tensors: readonly tfl.SymbolicTensor[],
    key: unknown,
    make: (name: string) => tfl.layers.Layer,
    weights: WeightValues,
  ): tfl.SymbolicTensor[] {
    const sharing = JSON.stringify([node.op, node.inputs.slice(1), key]);
    const shared = node.inputs.length > 1 ? this.#shared.get(sharing) : undefined;
    if (shared !== undefined) return this.apply(node, shared, tensors);
    const layer = make(this.layerName(node));
    this.#shared.set(sharing, layer);
    // The file's values replace the initial values, which need not be drawn.
    for (const part of [layer, (layer as unknown as { cell?: tfl.layers.Layer }).cell])
      (part as unknown as FastWeights | undefined)?.setFastWeightInitDuringBuild(true);
    const outputs = this.apply(node, layer, tensors);
    for (const variable of layer.weights) {
      const own = weightName(variable).replace(/_\d+$/, "");
      const values = weights[own];
      if (values === undefined) this.refuse(node, `its layer has a weight "${own}" that the file lacks`);
      const shape = variable.shape as number[];
      const tensorOf = memoryTensor(own, shape, new Float32Array(0));
      this.assignments.push({ name: variable.originalName, variable, tensor: { ...tensorOf, read: values! }, shape });
    }
    return outputs;
  }

  /**
   * Applies an operation of the table to signals and constants, which must be arranged as the operation expects. Without
   * signals the result is a constant.
   */
  operation(
    node: OnnxNode,
    op: string,
    values: Readonly<Record<string, unknown>>,
    outputs: readonly {
      readonly axes: readonly Axis[];
      readonly physical: readonly Axis[];
      readonly type: ElementKind;
    }[],
    isRaw = false,
  ): Value[] {
    const signals: Signal[] = [];
    const template = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(template);
      if (!isValue(value)) return value;
      if (value.kind === "constant") return { constant: nested(value), dtype: dtypeOf(value.type) };
      if (value.kind === "sizes") return this.refuse(node, "expected a tensor, got sizes that only the run knows");
      if (!signals.includes(value)) signals.push(value);
      return { slot: signals.indexOf(value) };
    };
    const given = Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, template(value)]])),
    );
    if (signals.length === 0) return this.#folded(node, op, values, outputs);
    const layer = new Operation({ name: this.layerName(node), op, values: given });
    const shapes = outputs.map(({ physical }) => physical.map((axis) => runSize(sizeOfAxis(axis))));
    // The shapes are known here, so that nothing has to run on zeros.
    layer.computeOutputShape = () => (shapes.length === 1 ? shapes[0]! : shapes);
    const results = this.apply(
      node,
      layer,
      signals.map(({ tensor }) => tensor),
    );
    Reflect.deleteProperty(layer, "computeOutputShape");
    return results.map((tensor, index): Signal => {
      const { axes, physical, type } = outputs[index]!;
      return { kind: "signal", tensor, axes, physical, type, isRaw };
    });
  }

  #folded(
    node: OnnxNode,
    op: string,
    values: Readonly<Record<string, unknown>>,
    outputs: readonly { readonly physical: readonly Axis[]; readonly type: ElementKind }[],
  ): Constant[] {
    for (const { physical } of outputs)
      this.takeRoom(
        node,
        physical.map((axis) => Number(sizeOfAxis(axis))),
      );
    try {
      const results = tf.tidy((): tf.Tensor[] => {
        const fill = (value: unknown): unknown =>
          Array.isArray(value)
            ? value.map(fill)
            : isValue(value) && value.kind === "constant"
              ? tensorOf(value)
              : value;
        const filled = Object.entries(values).map(([name, value]) => [name, fill(value)] as const);
        return [Operation.table[op]![1](new Values(Object.fromEntries(filled)))].flat();
      });
      const constants = results.map((result, index) =>
        constantOf(result.shape, outputs[index]!.type, result.dataSync()),
      );
      tf.dispose(results);
      return constants;
    } catch (error) {
      if (error instanceof WeightsError) throw error;
      throw new WeightsError(this.onnx.file, node.place, `cannot be computed: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** Frees the layers' weights after a failure. */
  dispose(): void {
    for (const layer of this.#layers) for (const variable of layer.weights) variable.dispose();
  }
}

function isValue(value: unknown): value is Value {
  if (typeof value !== "object" || value === null) return false;
  const { kind } = value as { kind?: unknown };
  return kind === "signal" || kind === "constant" || kind === "sizes";
}

/** A size as tfjs has it: null if it is known only when the model runs. */
export function runSize(size: Size): number | null {
  return isKnownSize(size) ? size : null;
}

function dtypeOf(type: ElementKind): "float32" | "int32" | "bool" {
  return type === "float" ? "float32" : type === "int" ? "int32" : "bool";
}

const int32Bound = 2 ** 31 - 1;

/** A constant as a tensor. Whole numbers beyond 32 bits, which mean "to the end", become the largest ones. */
function tensorOf(constant: Constant): tf.Tensor {
  const values = constant.read();
  if (constant.type === "float") return tf.tensor(Float32Array.from(values), [...constant.shape], "float32");
  if (constant.type === "bool") return tf.tensor(Uint8Array.from(values), [...constant.shape], "bool");
  const whole = Int32Array.from(values, (value) => Math.min(Math.max(value, -int32Bound), int32Bound));
  return tf.tensor(whole, [...constant.shape], "int32");
}

/** The elements as nested lists, as an operation's configuration has them. */
export function nested({ shape, read, type }: Constant): unknown {
  const values = read();
  const isBool = type === "bool";
  const take = (axis: number, at: number): unknown => {
    if (axis === shape.length) return isBool ? values[at] !== 0 : values[at];
    const step = countOf(shape.slice(axis + 1));
    return Array.from({ length: shape[axis]! }, (_, index) => take(axis + 1, at + index * step));
  };
  return take(0, 0);
}
