import { OutOfMemoryError } from "./out-of-memory.ts";

/** The kernels that share their units among threads, in the order of `assembly/kernels.ts`. */
const shared = [
  "matMul",
  "conv",
  "convInput",
  "convFilter",
  "depthwise",
  "depthwiseInput",
  "depthwiseFilter",
  "maxPool",
  "maxPoolGrad",
  "averagePool",
  "averagePoolGrad",
  "binary",
  "unary",
  "affine",
  "copy",
  "sum",
] as const;

/** A kernel of the assembly. */
export type KernelName = (typeof shared)[number];

/** Exports of tfjs' own WebAssembly module: the heap that the kernels work in. */
export interface Heap {
  memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  free(pointer: number): void;
}

type Exports = Record<string, (...args: readonly number[]) => number>;

const argumentBytes = 256;
const controlBytes = 64;

/** Average number of turns a thread takes in a job: several, so that an unequal start evens out. */
const turns = 4;

/** Runs the assembly's kernels in tfjs' heap, on this thread or on several. Needs nothing of Node. */
export class Runtime {
  readonly #exports: Exports;
  readonly #heap: Heap;
  readonly #args: number;
  readonly #control: number;
  #scratch = 0;
  #scratchBytes = 0;
  #threads = 1;
  /**
   * Jobs of at least this many multiply-adds are shared. For smaller ones, waking the helpers costs more than it
   * saves.
   */
  #threshold = Number.POSITIVE_INFINITY;

  constructor(module: WebAssembly.Module, heap: Heap) {
    this.#heap = heap;
    this.#exports = new WebAssembly.Instance(module, { env: { memory: heap.memory } }).exports as Exports;
    this.#args = heap.malloc(argumentBytes);
    this.#control = heap.malloc(controlBytes);
    new Uint8Array(heap.memory.buffer, this.#control, controlBytes).fill(0);
  }

  get memory(): WebAssembly.Memory {
    return this.#heap.memory;
  }

  get threads(): number {
    return this.#threads;
  }

  /** Address of the control block where helper threads wait for jobs. */
  get control(): number {
    return this.#control;
  }

  /** Lets jobs of at least `threshold` multiply-adds run on `threads` threads, this one among them. */
  share(threads: number, threshold: number): void {
    this.#threads = threads;
    this.#threshold = threshold;
    this.#free();
  }

  /**
   * Runs a kernel on its arguments, given in the order of its structure in the assembly; `work` is in multiply-adds.
   */
  run(name: KernelName, args: readonly number[], units: string, work: number): void {
    this.#write(args);
    const count = this.#call(units);
    if (count === 0) return;
    const bytes = this.#exports[`${name}Scratch`] === undefined ? 0 : this.#call(`${name}Scratch`);
    const threads = count > 1 && work >= this.#threshold ? this.#threads : 1;
    const stride = (bytes + 63) & ~63;
    this.#reserve(stride * threads);
    if (threads === 1) {
      this.#exports[name]!(this.#args, 0, count, this.#scratch);
      return;
    }
    const grain = Math.max(1, Math.floor(count / (threads * turns)));
    this.#exports["run"]!(this.#control, shared.indexOf(name), this.#args, count, grain, this.#scratch, stride);
  }

  /** Calls an assembly function that only reads the arguments, such as the one that counts the bytes a kernel needs. */
  ask(question: string, args: readonly number[]): number {
    this.#write(args);
    return this.#call(question);
  }

  malloc(bytes: number): number {
    const pointer = this.#heap.malloc(bytes) >>> 0;
    if (pointer === 0 && bytes > 0) throw new OutOfMemoryError(bytes);
    return pointer;
  }

  free(pointer: number): void {
    this.#heap.free(pointer);
  }

  #write(args: readonly number[]): void {
    // Make a new view each time: an old one is invalid after the heap grows.
    new Int32Array(this.#heap.memory.buffer, this.#args, args.length).set(args);
  }

  #call(name: string): number {
    return this.#exports[name]!(this.#args);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#scratchBytes) return;
    this.#free();
    this.#scratch = this.malloc(bytes);
    this.#scratchBytes = bytes;
  }

  #free(): void {
    if (this.#scratchBytes > 0) this.#heap.free(this.#scratch);
    this.#scratch = 0;
    this.#scratchBytes = 0;
  }
}
