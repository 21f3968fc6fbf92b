import type { Dim, KernelCall, RecordedTensor } from "../../recording/record.ts";
import { attr } from "./graph.ts";
import type { Attr, GraphDef } from "./graph.ts";

/** The arguments of a kernel's writer. */
export interface GraphWriting {
  readonly graph: GraphDef;
  readonly call: KernelCall;
  /** The name of an input. */
  input(name: string): string;
  /** A vector of sizes, which may grow with the batch. */
  sizes(dims: readonly Dim[]): string;
}

export type WriteKernel = (writing: GraphWriting) => string | string[];

/** The only input of a kernel, whatever its name is. */
export const only = ({ call, input }: GraphWriting): string => input(Object.keys(call.inputs)[0]!);
export const tensorOf = ({ call }: GraphWriting): RecordedTensor => Object.values(call.inputs)[0]!;
/** All inputs, in their order. */
export const all = ({ call, input }: GraphWriting): string[] => Object.keys(call.inputs).map(input);
/** The rank of the first input. */
export const rankOf = (writing: GraphWriting): number => tensorOf(writing).shape.length;
/** The type of the first input, as most operations state it. */
export const typed = (writing: GraphWriting): Readonly<Record<string, Attr>> => ({
  T: attr.type(tensorOf(writing).dtype),
});
export const numbers = (value: unknown): number[] => [value].flat() as number[];
/** An axis counted from the front. */
export const front = (axis: unknown, rank: number): number => (Number(axis) < 0 ? Number(axis) + rank : Number(axis));
