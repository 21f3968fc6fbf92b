import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { BaseArgs, Config, Inputs, Shape } from "../layers/base-layers.ts";
import { Values } from "./values.ts";

/** The implementation of an operation. */
export type Run = (values: Values) => tf.Tensor | tf.Tensor[];

/** Operations by name: the names of their arguments in order, and their implementations. */
export type Operations = Readonly<Record<string, readonly [names: string, run: Run]>>;

/**
 * The arguments of an operation as stored in a file: `{slot: i}` stands for the layer's input i, `{constant}` for an
 * array, `{number}` for a number that JSON lacks.
 */
export interface OperationArgs {
  readonly op: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * A layer without weights that runs one function of Keras 3's `ops` or of TensorFlow. `table`, which is set once,
 * holds the functions.
 */
export class Operation extends tfl.layers.Layer {
  static className = "Operation";
  static table: Operations = {};
  readonly op: string;
  values: Readonly<Record<string, unknown>>;
  readonly #run: Run;

  constructor({ op, values, ...base }: BaseArgs & OperationArgs) {
    super(base);
    const entry = Object.hasOwn(Operation.table, op) ? Operation.table[op] : undefined;
    if (entry === undefined) throw new OptionError(`expected the name of an operation, got ${shown(op)}`);
    const known = entry[0].split(" ");
    const unknown = Object.keys(values).find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new OptionError(`${op}: expected ${known.join(", ")}, got ${unknown} = ${shown(values[unknown])}`);
    this.op = op;
    this.values = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, mapped(value, asText)]));
    this.#run = entry[1];
  }

  /**
   * Names the axes that a squeeze without axes means: the axes that are known to have size 1. A batch of one sample is
   * none of them.
   */
  override build(shape: Shape): void {
    if (this.op === "squeeze" && this.values["axis"] == null) {
      const [sizes] = (Array.isArray(shape[0]) ? shape : [shape]) as [tfl.Shape];
      this.values = { ...this.values, axis: [...sizes.keys()].filter((axis) => sizes[axis] === 1) };
    }
    super.build(shape);
  }

  /**
   * Runs the operation twice on zeros, with different values for the unknown sizes. Output sizes that differ are
   * unknown.
   */
  override computeOutputShape(shape: Shape): Shape {
    const shapes = (Array.isArray(shape[0]) ? shape : [shape]) as tfl.Shape[];
    const stated = statedShape(this.op, this.values, shapes[0]!);
    if (stated !== undefined) return stated;
    const sizesOf = (trial: readonly [number, number]): number[][] =>
      tf.tidy(() => {
        const zeros = shapes.map((sizes) => tf.zeros(sizes.map((size, axis) => size ?? trial[axis === 0 ? 0 : 1])));
        return [this.#answer(zeros)].flat().map((output) => output.shape);
      });
    const isKnown = shapes.every((sizes) => !sizes.includes(null));
    const first = sizesOf([2, 24]);
    const second = isKnown ? first : sizesOf([3, 36]);
    const joined = first.map((sizes, output) =>
      sizes.map((size, axis) => (size === second[output]![axis] ? size : null)),
    );
    return joined.length === 1 ? joined[0]! : joined;
  }

  override call(inputs: Inputs): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => this.#answer([inputs].flat()));
  }

  override getConfig(): Config {
    const values = Object.entries(this.values).map(([name, value]) => [name, mapped(value, asLetters)] as const);
    return { ...super.getConfig(), op: this.op, values: Object.fromEntries(values) as never };
  }

  #answer(inputs: readonly tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    const filled = Object.entries(this.values).map(([name, value]) => [name, fill(value, inputs)] as const);
    return this.#run(new Values(Object.fromEntries(filled)));
  }
}

/** A value of a configuration with a function applied to all texts and to all objects within it. */
function mapped(value: unknown, change: (value: unknown) => unknown): unknown {
  const own = change(value);
  if (own !== value) return own;
  if (Array.isArray(value)) return value.map((part: unknown) => mapped(part, change));
  if (typeof value !== "object" || value === null || "constant" in value) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, mapped(part, change)]));
}

/** tfjs writes the texts of a configuration in small letters, with lines before capitals: such texts are written as numbers. */
const asLetters = (value: unknown): unknown =>
  typeof value === "string" && /[A-Z_]/.test(value)
    ? { letters: Array.from(value, (letter) => letter.charCodeAt(0)) }
    : value;

function asText(value: unknown): unknown {
  const { letters } = (value ?? {}) as { readonly letters?: unknown };
  return Array.isArray(letters) ? String.fromCharCode(...(letters as number[])) : value;
}

/** The output shape of an operation that states it; any batch of the probe would have to divide by its sizes. */
function statedShape(op: string, values: Operation["values"], input: tfl.Shape): tfl.Shape | undefined {
  if (op === "batchtospace") {
    const [block, crops] = [values["block_shape"] as number[], values["crops"] as [number, number][]];
    const inner = block.map((times, i) =>
      input[i + 1] == null ? null : input[i + 1]! * times - crops[i]![0] - crops[i]![1],
    );
    return [null, ...inner, ...input.slice(block.length + 1)];
  }
  const sizes = op === "reshape" ? values["newshape"] : op === "broadcastto" ? values["shape"] : undefined;
  if (!Array.isArray(sizes) || !sizes.every((size) => typeof size === "number")) return undefined;
  if (!input.includes(null)) return op === "broadcastto" && !sizes.includes(-1) ? sizes : undefined;
  return sizes.map((size) => (size < 0 ? null : size));
}

/** Replaces the slots in a value by the input tensors. */
function fill(value: unknown, inputs: readonly tf.Tensor[]): unknown {
  if (Array.isArray(value)) return value.map((part) => fill(part, inputs));
  if (typeof value !== "object" || value === null) return value;
  const { slot, constant, dtype, number } = value as Readonly<
    Record<"slot" | "constant" | "dtype" | "number", unknown>
  >;
  if (typeof number === "string") return Number(number);
  if (typeof slot === "number") {
    const input = inputs[slot];
    if (input === undefined) throw new OptionError(`expected an input ${slot}, got ${inputs.length} inputs`);
    return input;
  }
  if (constant !== undefined) {
    const type = dtype === "bool" ? "bool" : /^u?int/.test(String(dtype)) ? "int32" : "float32";
    return tf.tensor(constant as number[], undefined, type);
  }
  return value;
}
