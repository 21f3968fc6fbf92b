import type { Backend, Entry } from "../tfjs/backend.ts";
import { DT } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";
import { GraphError } from "../graph-error.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import { makeNative } from "../native/tensor.ts";
import { tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";
import type { Plan, Session } from "./session.ts";
import { fillNodes } from "./variable.ts";
import type { SessionVariable } from "./variable.ts";

/** Bytes of variables that one run moves to or from a session: enough to be fast, and few enough to hold twice. */
const GROUP_BYTES = 32 << 20;

/** Sends values from tfjs to the variables of one session. */
export class VariableLoading {
  readonly #session: Session;
  readonly #backend: Backend;
  /** Names of the nodes that fill a variable with one number. */
  readonly #fills = new Map<SessionVariable, Set<string>>();
  readonly #assigns = new Map<SessionVariable, Plan>();

  constructor(session: Session, backend: Backend) {
    this.#session = session;
    this.#backend = backend;
  }

  /** Sends the values that tfjs has now, in one run. */
  load(group: readonly SessionVariable[]): void {
    const fed = group.filter(({ entry }) => entry.fill === undefined || entry.values !== null || entry.id >= 0);
    const filled = group.filter((variable) => !fed.includes(variable));
    const one = fed.length === 1 && filled.length === 0 ? fed[0] : undefined;
    const plan = (one && this.#assigns.get(one)) ?? this.#assignPlan(fed, filled);
    const feeds = fed.map((variable) => this.#take(variable));
    try {
      for (const done of this.#session.runSync(plan, feeds)) tensorflow().TF_DeleteTensor(done);
    } finally {
      for (const tensor of feeds) tensorflow().TF_DeleteTensor(tensor);
    }
    if (one === undefined) this.#session.forget(plan);
    else this.#assigns.set(one, plan);
  }

  forget(variable: SessionVariable): void {
    const assignment = this.#assigns.get(variable);
    if (assignment !== undefined) this.#session.forget(assignment);
    this.#assigns.delete(variable);
    this.#fills.delete(variable);
  }

  /** Takes over what another session had, once its nodes and plans are in this session. */
  adopt(other: VariableLoading): void {
    for (const [variable, names] of other.#fills) this.#fills.set(variable, names);
    for (const [variable, plan] of other.#assigns) this.#assigns.set(variable, plan);
  }

  #assignPlan(fed: readonly SessionVariable[], filled: readonly SessionVariable[]): Plan {
    const targets = [...fed.map(({ key }) => `${key}/assign`), ...this.#fillers(filled)];
    const inputs = fed.map(({ key }) => ({ name: `${key}/value`, index: 0 }));
    return this.#session.plan(inputs, [], targets);
  }

  /** The names of the nodes that fill variables with one number each, imported once a variable and number. */
  #fillers(variables: readonly SessionVariable[]): string[] {
    const fresh: GraphNode[] = [];
    const names = variables.map((variable) => {
      const { fill } = variable.entry as { fill: number };
      const name = `${variable.key}/fill${fill}`.replaceAll(/[^\w/.]/g, "_");
      const known = this.#fills.get(variable) ?? new Set();
      this.#fills.set(variable, known);
      if (!known.has(name)) fresh.push(...fillNodes(variable, name, fill));
      known.add(name);
      return name;
    });
    if (fresh.length > 0) this.#session.import(fresh);
    return names;
  }

  /** The value as a native tensor. tfjs' own native copy is freed before, so that large values are not held twice. */
  #take(variable: SessionVariable): Handle {
    const values = this.#valuesOf(variable);
    const { entry } = variable;
    if (entry.id >= 0 && entry.refCount === 1) {
      dropCopy(this.#backend, entry);
      entry.values = values;
    }
    return makeNative(variable.dtype, variable.shape, values);
  }

  #valuesOf({ entry, dtype }: SessionVariable): TypedArray {
    const values =
      entry.values ?? (entry.id >= 0 ? this.#backend.binding.tensorDataSync(entry.id) : entry.owner?.read());
    if (values === undefined)
      throw new GraphError("A variable has no value; it was made in a compiled function that failed.");
    if (dtype === DT.float32 && !(values instanceof Float32Array)) return Float32Array.from(values as Int32Array);
    if (dtype === DT.int32 && !(values instanceof Int32Array)) return Int32Array.from(values as Uint8Array);
    return values;
  }
}

/** Frees tfjs' copy of a value. */
export function dropCopy({ binding }: Backend, entry: Entry): void {
  if (entry.id >= 0) binding.deleteTensor(entry.id);
  entry.id = -1;
  entry.values = null;
}

/** Variables in groups of limited size. */
export function grouped(variables: readonly SessionVariable[]): SessionVariable[][] {
  const groups: SessionVariable[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const variable of variables) {
    if (bytes + variable.bytes > GROUP_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(variable);
    bytes += variable.bytes;
  }
  return groups;
}
