import * as tf from "@tensorflow/tfjs-core";
import { attr } from "../ir/attrs.ts";
import { entryOf, tensorOf } from "../tfjs/backend.ts";
import { eagerly } from "../tfjs/recording.ts";
import type { Backend, Entry } from "../tfjs/backend.ts";
import { DT, fromTfjs, sizeOf, tfjsType } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import { constNode, makeNode, placeholderNode } from "../ir/builder.ts";
import { describeOutput, nodeAttrs, outputOf } from "../ir/graph-node.ts";
import type { EagerAttr, GraphNode, Ref } from "../ir/graph-node.ts";
import { Inference } from "../ir/shape-inference.ts";
import { RewriteLog } from "../ir/rewrite.ts";
import { Peephole } from "../peephole/peephole.ts";
import { FILL_FROM, uniformConstantAsFill } from "../peephole/uniform-constant-as-fill.ts";
import { FedNumbers } from "./fed-numbers.ts";
import type { LossScale } from "./loss-scale.ts";
import type { OpRecorder } from "../tfjs/recording.ts";
import type { Recorder } from "./recorder.ts";
import { opDef } from "../ir/op-defs.ts";
import { replay } from "./constant-values.ts";
import { TracedVariable } from "./traced-variable.ts";
import { isUniform, typed } from "../ir/uniform.ts";
import { unshare } from "../tfjs/unshare.ts";
import { place, userLine, UserLines } from "./user-line.ts";

/** Settings of a trace. */
export interface TraceSettings {
  seed: number;
  counter: () => number;
  exact: boolean;
  updates: "fused" | "watched" | "own";
  lossScale?: LossScale;
  /** Writes constants alike whatever their size, so that recordings at two batch sizes can be compared. */
  isRaw?: boolean;
}

/** Records one run of a function: the ops as nodes, the fed numbers, and the variables that it reads and writes. */
export class Trace implements OpRecorder, Recorder {
  readonly backend: Backend;
  /** Records exactly the ops of eager tfjs, in their order. */
  readonly exact: boolean;
  /** Whether optimizers update by TensorFlow's fused ops. */
  readonly fusesUpdates: boolean;
  /** Sums of squares of the gradients that fused ops average; recorded only if they are watched for overflow. */
  readonly squares: Ref[] = [];
  readonly #isWatched: boolean;
  /** In float16: the factor of the loss. */
  readonly lossScale: LossScale | undefined;
  /** In float16, within an update: whether all gradients are finite. */
  finite?: Ref;
  readonly variables = new Map<tf.Variable, TracedVariable>();
  /** Numbers that are fed at each run, and seeds of random numbers. */
  readonly numbers: FedNumbers;
  /** Called after each successful run, e.g. to count an optimizer's iterations. */
  readonly afterRun: (() => void)[] = [];
  /**
   * Functions that return true if something that the graph uses was replaced, such as an optimizer's slots by
   * `setWeights`.
   */
  readonly outdated: (() => boolean)[] = [];
  /** Called after the trace in reverse order, with true if it succeeded. */
  readonly ended: ((isDone: boolean) => void)[] = [];
  /** Counts of changes by rules and passes. */
  readonly rewrites = new RewriteLog();
  readonly peephole = new Peephole(this, this.rewrites);
  /** The running kernels, innermost last; errors name them. */
  readonly kernels: string[] = [];
  /** Kernels that ran, as many as tfjs starts eagerly. */
  kernelCount = 0;
  /** The layers that are being applied, innermost last: they name the nodes. */
  readonly scopes: string[] = [];
  /** The writes to variables, in order. */
  readonly writes: GraphNode[] = [];
  /** Variables that the function made. */
  readonly made: tf.Variable[] = [];
  /** Lasting objects that the function made: variables other than slots, and optimizers with slots. */
  readonly lasting: { what: "a variable" | "an optimizer"; at: string; variable?: tf.Variable }[] = [];
  readonly inference = new Inference();
  readonly lines = new UserLines();
  /** Called when the function has returned: later writes are not visible in JavaScript. */
  finishing = false;
  readonly #trainable = new WeakMap<tf.Variable, boolean>();
  readonly #byData = new Map<object, tf.Variable>();
  readonly #constants = new Map<string, GraphNode>();
  readonly #captured = new Map<object, Ref>();
  readonly #names = new Map<string, number>();
  /** The number of optimizers that are updating. */
  #updates = 0;
  readonly #isRaw: boolean;

  constructor(backend: Backend, { exact, updates, lossScale, isRaw = false, ...randomness }: TraceSettings) {
    this.backend = backend;
    this.#isRaw = isRaw;
    this.exact = exact;
    this.fusesUpdates = !exact && updates !== "own" && lossScale === undefined;
    this.lossScale = lossScale;
    this.#isWatched = updates === "watched";
    this.numbers = new FedNumbers(this, randomness);
    for (const variable of Object.values(tf.engine().registeredVariables)) this.adopt(variable);
  }

  /** Registers a variable by its current data, and makes sure that no other tensor shares that data. */
  adopt(variable: tf.Variable): void {
    unshare(this.backend, variable);
    this.#trainable.set(variable, variable.trainable);
    this.#byData.set(variable.dataId, variable);
  }

  record(op: string, attrs: readonly EagerAttr[], inputs: readonly tf.TensorInfo[], outputs: number): tf.Tensor[] {
    const refs = inputs.map((input) => this.ref(input));
    const full = nodeAttrs(op, attrs, refs);
    const simpler = this.exact ? undefined : this.peephole.replace({ op, attrs: full, inputs: refs });
    if (simpler !== undefined) return [this.tensor(simpler)];
    const node = this.add(op, full, refs, [], attrs);
    this.peephole.recorded(node);
    return Array.from({ length: Math.min(outputs, node.outputs.length) }, (_, index) => this.tensor({ node, index }));
  }

  /** Adds a node; TensorFlow infers the types and shapes of its outputs. */
  add(
    op: string,
    attrs: GraphNode["attrs"],
    inputs: readonly Ref[],
    control: readonly GraphNode[] = [],
    eager?: readonly EagerAttr[],
  ): GraphNode {
    const def = opDef(op);
    if (def === undefined) throw new GraphError(`TensorFlow knows no op "${op}".`);
    const at = this.lines.current;
    const node = makeNode(this.uniqueName(op), op, {
      inputs,
      control,
      attrs,
      ...(eager !== undefined && { eager }),
      ...(at !== "" && { at }),
    });
    try {
      node.outputs = this.inference.add(node, def);
    } catch (error) {
      const given = inputs.map((input) => describeOutput(outputOf(input))).join(", ");
      throw new GraphError(`${(error as Error).message} (in ${node.name} of ${given || "no inputs"}${place(at)})`, {
        cause: error,
      });
    }
    return node;
  }

  /** The tfjs tensor for the output of a node. */
  tensor(ref: Ref): tf.Tensor {
    let { dtype, shape } = outputOf(ref);
    if (dtype === DT.int64 || dtype === DT.uint8) {
      // tfjs has only one integer type.
      const attrs = { SrcT: attr.type(dtype), DstT: attr.type(DT.int32) };
      ref = { node: this.add("Cast", attrs, [ref]), index: 0 };
      dtype = DT.int32;
    }
    const entry: Entry = { shape, dtype, values: null, id: -1, refCount: 1, ref, recorder: this };
    return tensorOf(this.backend, entry, tfjsType(dtype));
  }

  /** Notes a gradient whose square a fused op averages: if it overflows, the op and tfjs differ. */
  watchSquare(gradient: Ref): void {
    if (this.#isWatched)
      this.squares.push({ node: this.add("L2Loss", { T: attr.type(DT.float32) }, [gradient]), index: 0 });
  }

  /** The sum of all squares that are watched. */
  squareSum(): Ref | undefined {
    const [first] = this.squares;
    if (first === undefined || this.squares.length === 1) return first;
    const attrs = { N: attr.int(this.squares.length), T: attr.type(DT.float32) };
    return { node: this.add("AddN", attrs, this.squares), index: 0 };
  }

  /** The node for a tensor: a recorded node, a variable's value, or a constant. */
  ref(tensor: tf.TensorInfo): Ref {
    const long = (tensor as { valueArray?: Int32Array }).valueArray;
    if (long !== undefined) return this.constant(DT.int64, [], long);
    const entry = entryOf(this.backend, tensor.dataId);
    if (entry === undefined)
      throw new GraphError(`A disposed tensor went into ${this.kernels.at(-1) ?? "an op"}${place(userLine())}.`);
    if (entry.ref !== undefined) {
      if (entry.recorder === this) return entry.ref;
      throw new GraphError(
        `A tensor that another run of a compiled function made (${entry.ref.node.name}) went into ${this.kernels.at(-1) ?? "an op"}${place(userLine())}: it has no value outside of that run. Return it from the function, or keep it in a tf.Variable.`,
      );
    }
    const variable = this.#byData.get(tensor.dataId);
    if (variable !== undefined) return this.variable(variable).initial();
    let captured = this.#captured.get(tensor.dataId);
    if (captured === undefined) {
      captured = this.#capture(entry, tensor);
      // Only lasting tensors are looked up again: the trace's own (sizes, scalars) are disposed with their op.
      if (entry.id >= 0) this.#captured.set(tensor.dataId, captured);
    }
    return captured;
  }

  /** Whether a variable was trainable before the function ran. */
  wasTrainable(variable: tf.Variable): boolean {
    return this.#trainable.get(variable) ?? variable.trainable;
  }

  /** The trace's record of a variable. */
  variable(variable: tf.Variable): TracedVariable {
    let traced = this.variables.get(variable);
    if (traced === undefined) {
      traced = new TracedVariable(this, variable);
      this.variables.set(variable, traced);
    }
    return traced;
  }

  /** A constant node. Equal small constants share one node; big uniform ones become a Fill. */
  constant(dtype: number, shape: readonly number[], values: TypedArray): Ref {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const size = sizeOf(shape);
    const marked = shape.length === 0 && dtype === DT.float32 ? this.numbers.marked(Number(values[0])) : undefined;
    if (marked !== undefined) return marked;
    const isLarge = this.#isRaw ? shape.length > 0 && dtype !== DT.int32 : size >= FILL_FROM;
    if (isLarge && dtype !== DT.complex64 && isUniform(values)) {
      const scalar = this.constant(dtype, [], values.slice(0, 1));
      const dims = this.constant(DT.int32, [shape.length], Int32Array.from(shape));
      const attrs = { T: attr.type(dtype), index_type: attr.type(DT.int32) };
      this.rewrites.note(uniformConstantAsFill, "Const");
      return { node: this.add("Fill", attrs, [dims, scalar]), index: 0 };
    }
    const key =
      size <= 64 && !this.#isRaw ? `${dtype}[${shape.join()}]${Buffer.from(bytes).toString("base64")}` : undefined;
    let node = key === undefined ? undefined : this.#constants.get(key);
    if (node === undefined) {
      node = constNode(this.uniqueName("Const"), dtype, shape, values.slice());
      if (key !== undefined) this.#constants.set(key, node);
    }
    return { node, index: 0 };
  }

  /** An input of the function. */
  placeholder(name: string, dtype: number, shape: readonly number[]): GraphNode {
    return placeholderNode(this.uniqueName(name), dtype, shape);
  }

  /** Makes a tensor from before the trace represent a number of `numbers.mark`. */
  standFor(tensor: tf.Tensor, mark: number): void {
    this.#captured.set(tensor.dataId, this.constant(DT.float32, [], Float32Array.of(mark)));
  }

  /** Runs an optimizer's update; variables made within are its slots. */
  inUpdate<T>(body: () => T): T {
    this.#updates++;
    try {
      return body();
    } finally {
      this.#updates--;
    }
  }

  /** Notes a variable that the function made. */
  noteMade(variable: tf.Variable): void {
    this.adopt(variable);
    this.made.push(variable);
    if (this.#updates === 0) this.lasting.push({ what: "a variable", at: place(userLine()), variable });
  }

  /** Notes an optimizer with slots that the function made. */
  noteOptimizer(): void {
    this.lasting.push({ what: "an optimizer", at: place(userLine()) });
  }

  /**
   * Called when JavaScript reads a value during the trace: the value is known only if it depends on constants alone.
   */
  readBack(entry: Entry): TypedArray {
    const kernel = this.kernels.at(-1);
    // tfjs-node's kernel reads the indices to find those out of range; TensorFlow checks them itself when it runs.
    if (kernel === "GatherV2") return new Int32Array();
    const { node } = entry.ref as Ref;
    const values = replay(this, entry.ref as Ref, { variables: false });
    if (values !== undefined) return eagerly(() => values.dataSync()) as TypedArray;
    throw new GraphError(
      `A value was read back inside a compiled function (dataSync, data, arraySync, print …), where tensors have none yet: the result of ${node.name}${node.at === undefined ? "" : ` made at ${node.at}`}, read${place(userLine())}. Return it from the function and read it there, or branch with tf.where.`,
    );
  }

  /** A node name that is not taken, in the scope of the layer that is being applied. */
  uniqueName(op: string): string {
    const base = [...this.scopes.slice(-1), op]
      .join("/")
      .replaceAll(/[^A-Za-z0-9_.\-/]/g, "_")
      .replace(/^[^A-Za-z0-9.]/, "n");
    const count = this.#names.get(base) ?? 0;
    this.#names.set(base, count + 1);
    return count === 0 ? base : `${base}_${count}`;
  }

  #capture(entry: Entry, { dataId, dtype }: tf.TensorInfo): Ref {
    if (entry.fill !== undefined && entry.values === null) {
      const scalar = entry.dtype === DT.int32 ? Int32Array.of(entry.fill) : Float32Array.of(entry.fill);
      const dims = this.constant(DT.int32, [entry.shape.length], Int32Array.from(entry.shape));
      const attrs = { T: attr.type(entry.dtype), index_type: attr.type(DT.int32) };
      return { node: this.add("Fill", attrs, [dims, this.constant(entry.dtype, [], scalar)]), index: 0 };
    }
    if (dtype === "string" || dtype === "complex64")
      throw new GraphError(`A ${dtype} tensor cannot be a constant of a compiled function.`);
    const values = entry.values ?? eagerly(() => this.backend.readSync(dataId));
    return this.constant(fromTfjs(dtype), entry.shape, typed(values as ArrayLike<number>, dtype));
  }
}
