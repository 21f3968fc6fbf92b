import type { CompiledTrace } from "./compiled-trace.ts";

/** Number of traces, differing only in plain values (numbers, strings, objects), at which the user is warned. */
const MANY_TRACES = 8;

/** What identifies a trace. */
export interface TraceKey {
  /** Equal for calls that can share a trace, as long as no `trainable` changes. */
  key: string;
  /** `key` without the plain values among the arguments. */
  shapes: string;
}

/** The traces of one compiled function. */
export class TraceCache {
  readonly #traces = new Map<string, CompiledTrace[]>();
  readonly #counts = new Map<string, number>();
  /** Traces that were replaced and are being disposed. */
  readonly #ending = new Set<Promise<void>>();

  /**
   * Finds the trace for a key whose variables have the same `trainable` flags. Disposes traces bound to replaced
   * objects.
   */
  find({ key }: TraceKey): CompiledTrace | undefined {
    const known = this.#traces.get(key) ?? [];
    const lasting = known.filter(({ isOutdated }) => !isOutdated);
    for (const trace of known) if (!lasting.includes(trace)) this.#dispose(trace);
    this.#traces.set(key, lasting);
    return lasting.find(({ isAsTrainable }) => isAsTrainable);
  }

  /** Stores a trace; returns true when the traces for the same shapes become too many. */
  add({ key, shapes }: TraceKey, trace: CompiledTrace): boolean {
    const traces = this.#traces.get(key) ?? [];
    this.#traces.set(key, [...traces, trace]);
    if (traces.length > 0) return false;
    const count = (this.#counts.get(shapes) ?? 0) + 1;
    this.#counts.set(shapes, count);
    return count === MANY_TRACES;
  }

  /** All traces, oldest first. */
  all(): CompiledTrace[] {
    return [...this.#traces.values()].flat();
  }

  async dispose(): Promise<void> {
    const traces = this.all();
    this.#traces.clear();
    await Promise.all([...this.#ending, ...traces.map((trace) => trace.dispose())]);
  }

  #dispose(trace: CompiledTrace): void {
    const ended = trace.dispose().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }
}
