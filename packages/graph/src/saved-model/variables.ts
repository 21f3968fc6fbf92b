import { attr } from "../ir/attrs.ts";
import { DT, dtypeName } from "../values/dtypes.ts";
import { firstOutput, makeNode } from "../ir/builder.ts";
import type { HostTensor } from "../values/host-tensor.ts";
import { takeHost } from "../native/tensor.ts";
import { sizes } from "./signature.ts";
import type { Shape, TensorDescription } from "./signature.ts";
import type { Plan, Session } from "../session/session.ts";
import type { Handle } from "../native/c-api.ts";

/** A variable of a SavedModel. */
export interface LoadedVariable extends TensorDescription {
  name: string;
  /** Reads the current value. */
  read(): HostTensor;
}

/** The fields of a SavedModel's node that describe variables. */
export interface NodeDef {
  name: string;
  op: string;
  input: string[];
  attr: Record<string, { type: number; s: Uint8Array; shape: Shape | null }>;
}

/**
 * The variables that some nodes depend on; several nodes may refer to one variable. Other variables in the graph may
 * have no value: Keras leaves copies there that are never restored.
 */
export function variablesOf(session: Session, nodes: readonly NodeDef[], roots: readonly string[]): LoadedVariable[] {
  const found = new Map<string, LoadedVariable>();
  for (const { name: node, op, attr: attrs } of needed(nodes, roots)) {
    if (op !== "VarHandleOp") continue;
    const name = Buffer.from(attrs["shared_name"]?.s ?? []).toString() || node;
    const dtype = attrs["dtype"]?.type ?? DT.float32;
    if (found.has(name) || dtype === DT.string) continue;
    const container = attrs["container"]?.s ?? new Uint8Array();
    const shape = sizes(attrs["shape"]?.shape);
    let plan: Plan | undefined;
    const read = () => {
      plan ??= readPlan(session, `convkit_read_${node.replaceAll("/", "_")}`, { name, container, dtype });
      return takeHost(session.runSync(plan, [])[0] as Handle);
    };
    found.set(name, { name, dtype: dtypeName(dtype), ...(shape !== undefined && { shape }), read });
  }
  return [...found.values()];
}

/** The nodes that `roots` need, in the graph's order. */
function needed(nodes: readonly NodeDef[], roots: readonly string[]): NodeDef[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const seen = new Set<NodeDef>();
  const stack = [...roots];
  while (stack.length > 0) {
    const node = byName.get((stack.pop() as string).replace(/^\^/, "").replace(/:\d+$/, ""));
    if (node === undefined || seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.input);
  }
  return nodes.filter((node) => seen.has(node));
}

function readPlan(
  session: Session,
  key: string,
  { name, container, dtype }: { name: string; container: Uint8Array; dtype: number },
): Plan {
  const shared = { dtype: attr.type(dtype), shared_name: attr.string(name), container: { s: container } };
  const handle = makeNode(`${key}_handle`, "VarHandleOp", {
    attrs: { ...shared, shape: { shape: { unknown_rank: true } } },
  });
  const attrs = { dtype: attr.type(dtype) };
  session.import([handle, makeNode(key, "ReadVariableOp", { inputs: [firstOutput(handle)], attrs })]);
  return session.plan([], [{ name: key, index: 0 }], []);
}
