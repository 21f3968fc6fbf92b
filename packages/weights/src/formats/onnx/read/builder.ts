import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { memoryTensor } from "../../../bytes/named-tensor.ts";
import { Identity } from "../../../layers/base-layers.ts";
import type { Assignment } from "../../../model/assign.ts";
import { weightName } from "../../../model/weight-name.ts";
import { Operation } from "../../../operations/operation.ts";
import { Values } from "../../../operations/values.ts";
import { WeightsError } from "../../../weights-error.ts";
import { safeName } from "../../keras/layer-paths.ts";
import { dtypeOf, nested, tensorOf } from "./constant-tensors.ts";
import type { Constant, ElementKind } from "./constant.ts";
import type { OnnxFile } from "./file.ts";
import { type Folds, UnreadError } from "./folds.ts";
import { layerNameOf } from "./layer-names.ts";
import { NodeReader } from "./node-reader.ts";
import type { OnnxNode, Subgraph } from "./node.ts";
import { sizeOfAxis } from "./signal.ts";
import type { Axis, Signal } from "./signal.ts";
import { isValue, runSize } from "./value.ts";
import type { Value } from "./value.ts";

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
export class Builder extends NodeReader {
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

  /** Names of values that come of results which are not read yet. */
  readonly unread = new Set<string>();
  readonly #folds: Folds;

  constructor(onnx: OnnxFile, folds: Folds) {
    super(onnx);
    this.#folds = folds;
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
    const compute = (): tf.Tensor[] => {
      const fill = (value: unknown): unknown =>
        Array.isArray(value) ? value.map(fill) : isValue(value) && value.kind === "constant" ? tensorOf(value) : value;
      const filled = Object.entries(values).map(([name, value]) => [name, fill(value)] as const);
      return [Operation.table[op]![1](new Values(Object.fromEntries(filled)))].flat();
    };
    const types = outputs.map(({ type }) => type);
    try {
      return this.#folds.take(node, types, compute);
    } catch (error) {
      if (error instanceof WeightsError || error instanceof UnreadError) throw error;
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
