import { shown } from "@convkit/errors";
import { countOf } from "../../../bytes/named-tensor.ts";
import { WeightsError } from "../../../weights-error.ts";
import { constantOf } from "./constant.ts";
import type { Constant } from "./constant.ts";
import type { OnnxFile } from "./file.ts";
import type { AttributeValue, OnnxNode } from "./node.ts";
import type { Signal } from "./signal.ts";
import { isKnownSize } from "./sizes.ts";
import type { Value } from "./value.ts";

/** Reads the inputs and the attributes of nodes. */
export class NodeReader {
  readonly onnx: OnnxFile;
  readonly values = new Map<string, Value>();
  /** Elements that constants may still take: a file cannot ask for more than it has bytes for. */
  #room: number;

  constructor(onnx: OnnxFile) {
    this.onnx = onnx;
    this.#room = onnx.size + 4_000_000;
  }

  refuse(node: OnnxNode, problem: string): never {
    throw new WeightsError(this.onnx.file, node.place, problem);
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
}
