import { attr } from "../ir/attrs.ts";
import { placeholderNode } from "../ir/builder.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import { DT } from "../values/dtypes.ts";
import type { Recorder } from "./recorder.ts";
import { mix } from "./seed-mix.ts";

/** A number that is fed anew at every run. */
export interface FedScalar {
  node: GraphNode;
  /** The index of the call that reads the number, among several calls in one run. */
  call: number;
  read(): number;
}

/** The numbers that a graph is fed at each run besides its arguments, and the seeds of its random numbers. */
export class FedNumbers {
  readonly all: FedScalar[] = [];
  readonly #trace: Recorder;
  readonly #randomness: { seed: number; counter: () => number };
  readonly #byKey = new Map<unknown, FedScalar>();
  readonly #marks = new Map<number, { ref: Ref; negative: Ref }>();
  /** The number of the call that is being recorded. */
  #call = 0;
  #step: FedScalar | undefined;
  /** The number of draws of the call so far. */
  #draws = 0;

  constructor(trace: Recorder, randomness: { seed: number; counter: () => number }) {
    this.#trace = trace;
    this.#randomness = randomness;
  }

  /** A float32 scalar that is fed the result of `read` at each run; one per key and call. */
  feed(key: unknown, name: string, read: () => number): Ref {
    let fed = this.#byKey.get(key);
    if (fed === undefined) {
      fed = this.#add(name, DT.float32, read);
      this.#byKey.set(key, fed);
    }
    return { node: fed.node, index: 0 };
  }

  /** Makes constants equal to `mark`, or to its negative, represent a number that is fed. */
  mark(mark: number, key: unknown, name: string, read: () => number): void {
    const ref = this.feed(key, name, read);
    const negative = { node: this.#trace.add("Neg", { T: attr.type(DT.float32) }, [ref]), index: 0 };
    this.#marks.set(mark, { ref, negative });
  }

  /** The fed number that a constant represents. */
  marked(value: number): Ref | undefined {
    return this.#marks.get(value)?.ref ?? this.#marks.get(-value)?.negative;
  }

  /** A seed of two numbers that is unique among the draws of this function and new at every run. */
  randomSeed(extra = 0): Ref {
    const { seed, counter } = this.#randomness;
    this.#step ??= this.#add("run", DT.int32, counter);
    const own = this.#trace.constant(DT.int32, [], Int32Array.of(mix(mix(seed, extra), this.#draws++)));
    let run: Ref = { node: this.#step.node, index: 0 };
    if (this.#call > 0) {
      const later = this.#trace.constant(DT.int32, [], Int32Array.of(this.#call));
      run = { node: this.#trace.add("AddV2", { T: attr.type(DT.int32) }, [run, later]), index: 0 };
    }
    const attrs = { N: attr.int(2), T: attr.type(DT.int32), axis: attr.int(0) };
    return { node: this.#trace.add("Pack", attrs, [own, run]), index: 0 };
  }

  /** Begins call number `call` of one run. Its random and fed numbers are those of a separate run. */
  startCall(call: number): void {
    this.#call = call;
    this.#draws = 0;
    this.#byKey.clear();
  }

  #add(name: string, dtype: number, read: () => number): FedScalar {
    const fed = { node: placeholderNode(this.#trace.uniqueName(name), dtype, []), call: this.#call, read };
    this.all.push(fed);
    return fed;
  }
}
