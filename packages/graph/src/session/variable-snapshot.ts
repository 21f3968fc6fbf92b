import { attr } from "../ir/attrs.ts";
import type { GraphNode } from "../ir/graph-node.ts";
import type { Plan, Session } from "./session.ts";
import type { SessionVariable } from "./variable.ts";
import { tensorflow } from "../native/c-api.ts";

/**
 * The values that some variables had before a run, kept within the session to be put back if the run fails. Keeping costs
 * nothing by itself: TensorFlow shares the memory until a variable is updated.
 */
export class KeptVariables {
  readonly #session: Session;
  readonly #keep: Plan;
  readonly #restore: Plan;
  readonly #destroy: Plan;

  /** `name` is unique in the session. */
  constructor(session: Session, variables: Iterable<SessionVariable>, name: string) {
    this.#session = session;
    const nodes: GraphNode[] = [];
    const targets = { keep: [] as string[], restore: [] as string[], destroy: [] as string[] };
    const add = (node: GraphNode): GraphNode => {
      nodes.push(node);
      return node;
    };
    for (const variable of variables) {
      const { key, dtype, shape } = variable;
      const own = `${name}/${key}`;
      const now = add(variable.handle(`${own}/now`));
      const kept = variable.handle(`${own}/kept`);
      add({ ...kept, attrs: { ...kept.attrs, shared_name: attr.string(`${own}/kept`) } });
      const type = { dtype: attr.type(dtype) };
      const copy = (what: "keep" | "restore", from: GraphNode, to: GraphNode): void => {
        const read = add({
          name: `${own}/${what}_read`,
          op: "ReadVariableOp",
          inputs: [{ node: from, index: 0 }],
          control: [],
          attrs: type,
          outputs: [{ dtype, shape }],
        });
        const inputs = [to, read].map((node) => ({ node, index: 0 }));
        add({ name: `${own}/${what}`, op: "AssignVariableOp", inputs, control: [], attrs: type, outputs: [] });
        targets[what].push(`${own}/${what}`);
      };
      copy("keep", now, kept);
      copy("restore", kept, now);
      add({
        name: `${own}/destroy`,
        op: "DestroyResourceOp",
        inputs: [{ node: kept, index: 0 }],
        control: [],
        attrs: { ignore_lookup_error: attr.bool(true) },
        outputs: [],
      });
      targets.destroy.push(`${own}/destroy`);
    }
    session.import(nodes);
    this.#keep = session.plan([], [], targets.keep);
    this.#restore = session.plan([], [], targets.restore);
    this.#destroy = session.plan([], [], targets.destroy);
  }

  keep(): void {
    this.#run(this.#keep);
  }

  restore(): void {
    this.#run(this.#restore);
  }

  dispose(): void {
    this.#run(this.#destroy);
    for (const plan of [this.#keep, this.#restore, this.#destroy]) this.#session.forget(plan);
  }

  #run(plan: Plan): void {
    for (const done of this.#session.runSync(plan, [])) tensorflow().TF_DeleteTensor(done);
  }
}
