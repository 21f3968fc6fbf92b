type AnyFunction = (...args: never[]) => unknown;

/** Replaces methods temporarily. */
export class Patches {
  readonly #undo: (() => void)[] = [];

  /** Replaces `target[key]` by the result of `make` for the original. */
  wrap<T extends object, K extends keyof T>(
    target: T,
    key: K,
    // The arguments are the method's own; only the caller of `wrap` knows their types.
    make: (original: (...args: unknown[]) => unknown) => (...args: never[]) => unknown,
  ): void {
    const own = Object.getOwnPropertyDescriptor(target, key);
    const original = target[key] as AnyFunction as (...args: unknown[]) => unknown;
    Object.defineProperty(target, key, { value: make(original), configurable: true, writable: true });
    this.#undo.push(() => {
      if (own === undefined) delete target[key];
      else Object.defineProperty(target, key, own);
    });
  }

  /** Runs `done` when the patches before it are undone. */
  onUndo(done: () => void): void {
    this.#undo.push(done);
  }

  /** Restores all methods, the last replaced first. */
  undo(): void {
    for (const undo of this.#undo.splice(0).toReversed()) undo();
  }
}
