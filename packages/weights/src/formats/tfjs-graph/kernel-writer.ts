import { firstTensor } from "../../recording/kernel-inputs.ts";
import type { Dim, KernelCall } from "../../recording/record.ts";
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

/** The type of the first input, as most operations state it. */
export const typed = (writing: GraphWriting): Readonly<Record<string, Attr>> => ({
  T: attr.type(firstTensor(writing).dtype),
});
