import type { JsonValue } from "@convkit/files";
import type { HealthRequest } from "../health/step-health.ts";
import type { Callback } from "./callback.ts";

type Hook = Exclude<keyof Callback, "name" | "health" | "state" | "restore">;

/** Calls the same hook of several callbacks in order. */
export class CallbackList {
  readonly #callbacks: readonly Callback[];

  constructor(callbacks: readonly Callback[]) {
    this.#callbacks = callbacks;
  }

  /** The steps that callbacks want to be measured. */
  get health(): readonly HealthRequest[] {
    return this.#callbacks.flatMap(({ health }) => health ?? []);
  }

  async call<H extends Hook>(hook: H, ...args: Parameters<NonNullable<Callback[H]>>): Promise<void> {
    for (const callback of this.#callbacks) {
      const done = (callback[hook] as ((...all: unknown[]) => void | Promise<void>) | undefined)?.apply(callback, args);
      // Awaiting undefined would cost a turn of the event loop for each batch and hook.
      if (done !== undefined) await done;
    }
  }

  /** The state of all callbacks that have a name, for checkpoints. */
  state(): Record<string, JsonValue> {
    const entries = this.#callbacks.flatMap((each) =>
      each.name !== undefined && each.state ? [[each.name, each.state()] as const] : [],
    );
    return Object.fromEntries(entries);
  }

  restore(states: Readonly<Record<string, JsonValue>>): void {
    for (const callback of this.#callbacks) {
      const state = callback.name === undefined ? undefined : states[callback.name];
      if (state !== undefined) callback.restore?.(state);
    }
  }
}
