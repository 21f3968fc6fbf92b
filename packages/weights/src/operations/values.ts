import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";

/** The arguments of one operation by name: tensors, numbers, lists, words. */
export class Values {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  get(name: string): unknown {
    return this.#values[name] ?? undefined;
  }

  /** A tensor argument. Converts numbers and lists to a tensor of the type of `like`. */
  tensor(name: string, like?: string): tf.Tensor {
    return this.tensorOf(this.get(name), name, like);
  }

  tensorOf(value: unknown, name: string, like: string = "float32"): tf.Tensor {
    if (value instanceof tf.Tensor) return value;
    if (typeof value === "number" || typeof value === "boolean" || Array.isArray(value))
      return tf.tensor(value as number, undefined, (typeof value === "boolean" ? "bool" : like) as "float32");
    throw new OptionError(`expected a tensor or numbers as its ${name}, got ${shown(value)}`);
  }

  tensors(name: string): tf.Tensor[] {
    const value = this.get(name);
    if (!Array.isArray(value)) throw new OptionError(`expected a list of tensors as its ${name}, got ${shown(value)}`);
    return value.map((part) => this.tensorOf(part, name));
  }

  number(name: string, otherwise: number): number {
    const value = this.get(name) ?? otherwise;
    if (typeof value !== "number") throw new OptionError(`expected a number as its ${name}, got ${shown(value)}`);
    return value;
  }

  flag(name: string, otherwise = false): boolean {
    return (this.get(name) ?? otherwise) === true;
  }

  word(name: string, otherwise: string): string {
    return String(this.get(name) ?? otherwise);
  }

  /** A list of whole numbers; one number is a list of one. */
  numbers(name: string): number[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const list = [value].flat();
    if (!list.every((part) => typeof part === "number"))
      throw new OptionError(`expected whole numbers as its ${name}, got ${shown(value)}`);
    return list as number[];
  }

  /** Axes counted from the front; all axes if none is given. */
  axes(name: string, rank: number): number[] {
    const axes = this.numbers(name) ?? Array.from({ length: rank }, (_, axis) => axis);
    return axes.map((axis) => fromFront(axis, rank));
  }

  axis(name: string, rank: number, otherwise: number): number {
    return fromFront(this.number(name, otherwise), rank);
  }
}

/** Throws for an operation over channels first. */
export function channelsLast(v: Values): void {
  const format = v.get("data_format");
  if (format === "channels_first" || format === "NCHW")
    throw new OptionError("expected channels last, got channels first");
}

export function fromFront(axis: number, rank: number): number {
  const own = axis < 0 ? axis + rank : axis;
  if (!(own >= 0 && own < rank)) throw new OptionError(`expected an axis of ${rank}, got ${axis}`);
  return own;
}
