import { attr } from "../ir/attrs.ts";
import { assignNode, destroyNode, firstOutput, readNode } from "../ir/builder.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import type { RuntimeUser } from "./runtime.ts";
import type { Plan } from "./session.ts";
import type { SessionVariable } from "./variable.ts";
import { tensorflow } from "../native/c-api.ts";

/**
 * The values of some variables before a run, held in the session so that a failed run can be undone. Taking them is free:
 * TensorFlow shares the memory until a variable is updated.
 */
export class VariableSnapshot {
  readonly #user: RuntimeUser;
  readonly #take: Plan;
  readonly #restore: Plan;
  readonly #destroy: Plan;

  /** `name` is unique among all sessions. */
  constructor(user: RuntimeUser, variables: Iterable<SessionVariable>, name: string) {
    this.#user = user;
    const { session } = user.runtime;
    const nodes: GraphNode[] = [];
    const targets = { take: [] as string[], restore: [] as string[], destroy: [] as string[] };
    for (const variable of variables) {
      const own = `${name}/${variable.key}`;
      const now = variable.handle(`${own}/now`);
      const before = variable.handle(`${own}/before`);
      before.attrs = { ...before.attrs, shared_name: attr.string(`${own}/before`) };
      nodes.push(now, before);
      const copy = (what: "take" | "restore", from: GraphNode, to: GraphNode): void => {
        const read = readNode(`${own}/${what}_read`, from, variable);
        nodes.push(read, assignNode(`${own}/${what}`, to, firstOutput(read), variable.dtype));
        targets[what].push(`${own}/${what}`);
      };
      copy("take", now, before);
      copy("restore", before, now);
      nodes.push(destroyNode(`${own}/destroy`, before));
      targets.destroy.push(`${own}/destroy`);
    }
    session.import(nodes);
    this.#take = session.plan([], [], targets.take);
    this.#restore = session.plan([], [], targets.restore);
    this.#destroy = session.plan([], [], targets.destroy);
  }

  /** Takes the current values and drops earlier ones. */
  take(): void {
    this.#run(this.#take);
  }

  /** Writes the taken values back into the variables. */
  restore(): void {
    this.#run(this.#restore);
  }

  dispose(): void {
    this.#run(this.#destroy);
    for (const plan of [this.#take, this.#restore, this.#destroy]) this.#user.runtime.session.forget(plan);
  }

  #run(plan: Plan): void {
    for (const done of this.#user.runtime.session.runSync(plan, [])) tensorflow().TF_DeleteTensor(done);
  }
}
