/** How many nodes of each op were changed. */
export type Changes = Record<string, number>;

/** A change of the graph that tfjs recorded: a rule applied while recording, or a pass afterwards. */
export interface Rewrite {
  /** The name; also the name of its file. */
  readonly name: string;
  /** What the rewrite replaces by what, in one line. */
  readonly description: string;
}

/** Counts one more node of an op. */
export function countChange(changes: Changes, op: string): void {
  changes[op] = (changes[op] ?? 0) + 1;
}

/** What each rewrite changed in one trace. */
export class RewriteLog {
  readonly #changes = new Map<Rewrite, Changes>();

  /** Notes that `rewrite` changed a node of the op. */
  note(rewrite: Rewrite, op: string): void {
    const changes = this.of(rewrite);
    countChange(changes, op);
    this.#changes.set(rewrite, changes);
  }

  of(rewrite: Rewrite): Changes {
    return this.#changes.get(rewrite) ?? {};
  }
}
