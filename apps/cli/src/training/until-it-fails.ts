import type { Callback } from "@convkit/trainer";

/** A callback that is left out once the disk refuses what it writes; `tell` gets the error. */
export function untilItFails(callback: Callback, tell: (error: Error) => void): Callback {
  let hasFailed = false;
  const guarded = Object.entries(callback).map(([name, method]: [string, unknown]) => {
    if (typeof method !== "function") return [name, method];
    const call = async (...args: unknown[]): Promise<unknown> => {
      if (hasFailed) return undefined;
      try {
        return await (method as (...args: unknown[]) => unknown).apply(callback, args);
      } catch (error) {
        if (!(error instanceof Error) || !("errno" in error) || error.errno === undefined) throw error;
        hasFailed = true;
        tell(error);
        return undefined;
      }
    };
    return [name, call];
  });
  return Object.fromEntries(guarded) as Callback;
}
