import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import type { OnnxNode } from "../node.ts";

/** Turns one node of the graph into layers: the value of its output, or the values of its outputs. */
export type Read = (builder: Builder, node: OnnxNode) => Value | readonly Value[];
