import type * as tf from "@tensorflow/tfjs-core";
import { assignUntraced, tensorOf } from "../tfjs/backend.ts";
import type { Backend, Entry } from "../tfjs/backend.ts";
import type { TypedArray } from "../values/dtypes.ts";
import { assignNode, destroyNode, firstOutput, placeholderNode, readNode } from "../ir/builder.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import { readNative } from "../native/tensor.ts";
import type { Session } from "./session.ts";
import { SessionVariable } from "./variable.ts";
import { dropCopy, grouped, VariableLoading } from "./variable-loading.ts";
import type { Group } from "./variable.ts";
import { tensorflow } from "../native/c-api.ts";

/** The number of variables so far, in all sessions: their names stay unique when they move. */
let count = 0;

/** The variables of one session. */
export class SessionVariables {
  readonly backend: Backend;
  readonly #session: Session;
  readonly #known = new Map<tf.Variable, SessionVariable>();
  /** Name prefixes of the known variables' nodes. */
  readonly #keys = new Set<string>();
  readonly #loading: VariableLoading;
  /** Variables with an up-to-date copy in tfjs. */
  readonly #copied = new Set<SessionVariable>();
  /** Variables whose data tfjs released. Disposed ones are destroyed in the session later. */
  readonly #suspects = new Set<SessionVariable>();

  constructor(session: Session, backend: Backend) {
    this.#session = session;
    this.backend = backend;
    this.#loading = new VariableLoading(session, backend);
  }

  /** True if the session has a tfjs variable. */
  has(variable: tf.Variable): boolean {
    return this.#known.has(variable);
  }

  /** The session's variables for tfjs variables; their values are sent at the next `prepare`. */
  of(variables: readonly tf.Variable[]): SessionVariable[] {
    const fresh: GraphNode[] = [];
    const found = variables.map((variable) => {
      const known = this.#known.get(variable);
      if (known !== undefined) return known;
      const made = new SessionVariable(this, variable, `v${count++}`);
      this.#known.set(variable, made);
      this.#keys.add(made.key);
      const handle = made.handle(`${made.key}/handle`);
      const value = placeholderNode(`${made.key}/value`, made.dtype, made.shape);
      const read = readNode(`${made.key}/read`, handle, made);
      fresh.push(handle, value, read, assignNode(`${made.key}/assign`, handle, firstOutput(value), made.dtype));
      return made;
    });
    if (fresh.length > 0) this.#session.import(fresh);
    return found;
  }

  /** Called before a run: sends newly assigned values, and drops copies that the run will make stale. */
  prepare(used: readonly SessionVariable[], written: ReadonlySet<SessionVariable>): void {
    if (this.#suspects.size > 0) this.#destroy();
    const changed = used.filter((variable) => variable.entry.owner !== variable);
    for (const group of grouped(changed)) this.#load(group);
    for (const variable of written) if (variable.entry.refCount > 1) this.detach(variable);
    this.forgetCopies(written);
  }

  /** The current value of a variable. Reads its whole group at once, since programs that read one weight mostly read all. */
  read(variable: SessionVariable): TypedArray {
    const group = variable.group as Group;
    const { members } = group;
    group.read ??= this.#session.plan(
      [],
      members.map(({ key }) => ({ name: `${key}/read`, index: 0 })),
      [],
    );
    const values = this.#session.runSync(group.read, []).map((tensor) => {
      const { values } = readNative(tensor);
      tensorflow().TF_DeleteTensor(tensor);
      return values;
    });
    members.forEach((member, index) => {
      const { owned } = member;
      if (owned === undefined || member === variable || owned.values !== null || owned.id >= 0) return;
      owned.values = values[index] as TypedArray;
      this.#copied.add(member);
    });
    this.#copied.add(variable);
    return values[members.indexOf(variable)] as TypedArray;
  }

  /** Gives all values back to tfjs: called before the session closes. */
  retrieve(): void {
    for (const variable of this.#known.values()) this.#giveBack(variable);
    this.#known.clear();
    this.#keys.clear();
    this.#copied.clear();
  }

  /** Gives all values back to tfjs, since the session is about to lose them. */
  suspend(): void {
    for (const variable of this.#known.values()) {
      this.#giveBack(variable);
      if (variable.variable.isDisposed) this.#remove(variable);
    }
    this.#suspects.clear();
    this.#copied.clear();
  }

  /** Takes over the suspended variables of another session, whose nodes are in this session now, and sends their values. */
  adopt(other: SessionVariables): void {
    const moved = [...other.#known.values()];
    for (const variable of moved) {
      variable.store = this;
      this.#known.set(variable.variable, variable);
      this.#keys.add(variable.key);
    }
    this.#loading.adopt(other.#loading);
    other.#known.clear();
    for (const group of grouped(moved.filter(({ group }) => group !== undefined))) this.#load(group);
  }

  /** True if a node belongs to a known variable. */
  owns(node: string): boolean {
    return this.#keys.has(node.slice(0, node.indexOf("/")));
  }

  /** Drops tfjs' copies of variables whose values in the session have changed. */
  forgetCopies(variables: Iterable<SessionVariable>): void {
    for (const variable of variables)
      if (this.#copied.delete(variable) && variable.owned !== undefined) dropCopy(this.backend, variable.owned);
  }

  /** Reads into JavaScript all variables that tfjs holds no copy of. */
  refresh(used: readonly SessionVariable[]): void {
    for (const variable of used) {
      const { owned } = variable;
      if (owned !== undefined && owned.values === null && owned.id < 0) owned.values = this.read(variable);
    }
  }

  /** Gives a variable new data, which the session owns; other tensors (a clone) keep the old data with the value as it is now. */
  detach(variable: SessionVariable): void {
    this.#giveBack(variable);
    this.#renew(variable);
  }

  check(variable: SessionVariable): void {
    this.#copied.delete(variable);
    this.#suspects.add(variable);
  }

  #load(group: SessionVariable[]): void {
    // A clone may still use the old data: it keeps the old value.
    for (const variable of group) if (variable.owned !== variable.entry) this.#giveBack(variable);
    this.#loading.load(group);
    const fresh: Group = { members: group.filter((variable) => variable.group === undefined) };
    for (const variable of fresh.members) variable.group = fresh;
    for (const variable of group) this.#own(variable);
  }

  /** From now on the session owns the value: tfjs' copy is dropped, and tfjs reads the variable here. */
  #own(variable: SessionVariable): void {
    const { entry } = variable;
    if (entry.refCount > 1) {
      this.#renew(variable);
      return;
    }
    variable.own(entry);
    delete entry.fill;
    dropCopy(this.backend, entry);
  }

  /** Gives the value of a variable to the data that the session held it for. */
  #giveBack(variable: SessionVariable): void {
    const { owned } = variable;
    if (owned === undefined) return;
    if (owned.values === null && owned.id < 0) owned.values = this.read(variable);
    this.#copied.delete(variable);
    variable.disown();
  }

  /** Gives the tfjs variable data of its own, owned by the session. */
  #renew(variable: SessionVariable): void {
    const { shape, dtype } = variable;
    const entry: Entry = { shape, dtype, values: null, id: -1, refCount: 1 };
    variable.own(entry);
    const fresh = tensorOf(this.backend, entry, variable.variable.dtype);
    assignUntraced(variable.variable, fresh);
    fresh.dispose();
  }

  #destroy(): void {
    const dead = [...this.#suspects].filter(({ variable }) => variable.isDisposed);
    this.#suspects.clear();
    if (dead.length === 0) return;
    const nodes = dead.map((variable) => {
      const handle = variable.handle(`${variable.key}/dead`);
      return [handle, destroyNode(`${variable.key}/destroy`, handle)];
    });
    this.#session.import(nodes.flat());
    const plan = this.#session.plan(
      [],
      [],
      dead.map(({ key }) => `${key}/destroy`),
    );
    for (const done of this.#session.runSync(plan, [])) tensorflow().TF_DeleteTensor(done);
    this.#session.forget(plan);
    for (const variable of dead) this.#remove(variable);
  }

  /** Forgets a variable that the session no longer has. */
  #remove(variable: SessionVariable): void {
    this.#known.delete(variable.variable);
    this.#keys.delete(variable.key);
    const { group } = variable;
    this.#loading.forget(variable);
    if (group === undefined) return;
    if (group.read !== undefined) this.#session.forget(group.read);
    delete group.read;
    group.members = group.members.filter((member) => member !== variable);
  }
}
