import * as tf from "@tensorflow/tfjs-core";
import { attr } from "../ir/attrs.ts";
import { assignUntraced, entryOf } from "../tfjs/backend.ts";
import { fromTfjs } from "../values/dtypes.ts";
import { handleNode } from "../ir/builder.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import type { KnownVariable, Recorder } from "./recorder.ts";

/** A variable within one trace: its handle, the reads and writes so far, and the value that JavaScript assigned. */
export class TracedVariable implements KnownVariable {
  readonly variable: tf.Variable;
  readonly handle: GraphNode;
  readonly dtype: number;
  /** Nodes that write the variable, in order. */
  readonly writes: GraphNode[] = [];
  readonly #trace: Recorder;
  readonly #reads: GraphNode[] = [];
  /** A tensor with the data from before the trace, kept until `restore` returns the data to the variable. */
  #held: tf.Tensor | undefined;
  /** The read node since the last write. */
  #current: GraphNode | undefined;
  /** The read node before any write; clones from before the first write use it too. */
  #initial: GraphNode | undefined;

  constructor(trace: Recorder, variable: tf.Variable) {
    this.#trace = trace;
    this.variable = variable;
    this.dtype = fromTfjs(variable.dtype);
    const { shape, name } = variable;
    this.handle = handleNode(`variables/${trace.variables.size}`, { dtype: this.dtype, shape }, name);
  }

  /** The variable's value at this point of the trace. */
  read(): Ref {
    if (this.#current === undefined) {
      const attrs = { dtype: attr.type(this.dtype) };
      const after = this.writes.slice(-1);
      this.#current = this.#trace.add("ReadVariableOp", attrs, [{ node: this.handle, index: 0 }], after);
      this.#reads.push(this.#current);
    }
    return { node: this.#current, index: 0 };
  }

  /** The value from before the trace, without later writes. */
  initial(): Ref {
    const [first] = this.writes;
    if (this.#initial === undefined && first === undefined) this.#initial = this.read().node;
    if (this.#initial === undefined) {
      this.#initial = this.#trace.add("ReadVariableOp", { dtype: attr.type(this.dtype) }, [
        { node: this.handle, index: 0 },
      ]);
      first?.control.push(this.#initial);
    }
    return { node: this.#initial, index: 0 };
  }

  /**
   * Writes the variable with an op that takes its handle (`AssignVariableOp`, `ResourceApplyAdam` …); all earlier reads
   * come before the write. `inputs` are the op's other inputs; `others` are further variables that the op writes.
   */
  write(
    op: string,
    attrs: GraphNode["attrs"],
    inputs: readonly Ref[],
    others: readonly TracedVariable[] = [],
  ): GraphNode {
    for (const variable of [this, ...others]) variable.#flush();
    return this.#write(op, attrs, inputs, others);
  }

  #write(
    op: string,
    attrs: GraphNode["attrs"],
    inputs: readonly Ref[],
    others: readonly TracedVariable[] = [],
  ): GraphNode {
    const all = [this, ...others];
    const before = all.flatMap((v) => [...v.#reads, ...v.writes.slice(-1)]);
    const handles = all.map((v) => ({ node: v.handle, index: 0 }));
    const node = this.#trace.add(op, attrs, [...handles, ...inputs], before);
    for (const v of all) {
      v.writes.push(node);
      v.#reads.length = 0;
      v.#current = undefined;
      v.#follow();
    }
    this.#trace.writes.push(node);
    return node;
  }

  /** Called before JavaScript assigns to the variable: its data stays alive until `restore`. */
  hold(): void {
    if (this.#held !== undefined) return;
    const { backend } = this.#trace;
    const { dataId, shape, dtype } = this.variable;
    backend.incRef(dataId);
    this.#held = tf.keep(tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype }));
  }

  /** Turns JavaScript's assignment into a write, and restores the data that the variable had before the trace. */
  restore(commit: boolean): void {
    if (this.#held === undefined) return;
    if (commit) this.#flush();
    assignUntraced(this.variable, this.#held);
    this.#held.dispose();
    this.#held = undefined;
  }

  /** Writes the value that JavaScript assigned since the last write. */
  #flush(): void {
    if (this.#held === undefined) return;
    const assigned = entryOf(this.#trace.backend, this.variable.dataId);
    // JavaScript may have assigned the old value again after an op's write.
    const isChanged = this.variable.dataId !== this.#held.dataId || this.writes.length > 0;
    if (assigned === undefined || !isChanged) return;
    const ref = assigned.ref ?? this.#trace.ref(this.variable);
    const isWritten = ref.node.op === "ReadVariableOp" && ref.node === this.#current;
    if (!isWritten) this.#write("AssignVariableOp", { dtype: attr.type(this.dtype) }, [ref]);
  }

  /** The variable's tensor from before the trace. */
  get original(): tf.Tensor {
    return this.#held ?? this.variable;
  }

  /** After an op's write: makes the JavaScript variable represent the new value. */
  #follow(): void {
    if (this.#trace.finishing) return;
    this.hold();
    const tensor = this.#trace.tensor(this.read());
    assignUntraced(this.variable, tensor);
    tensor.dispose();
  }
}
