import { releaseFreedMemory } from "@convkit/engine/internal";

import { PredictError } from "../predict-error.ts";
import type { RequestPool } from "./native/request-pool.ts";
import type { Session } from "./session.ts";

/** A session whose `dispose` refuses further calls, waits for those on their way, and then calls `close`. */
export function closableSession(
  { inputs, outputs }: Pick<Session, "inputs" | "outputs">,
  { run, runNow }: Pick<RequestPool, "run" | "runNow">,
  close: () => Promise<void> | void,
): Session {
  const running = new Set<Promise<unknown>>();
  let isDisposed = false;
  return {
    inputs,
    outputs,
    runNow: (feeds, prepare) => (isDisposed ? undefined : runNow(feeds, prepare)),
    run(feeds) {
      if (isDisposed) return Promise.reject(new PredictError("The predictor is disposed of already."));
      const call = run(feeds);
      running.add(call);
      const forget = () => running.delete(call);
      call.then(forget, forget);
      return call;
    },
    async dispose() {
      if (isDisposed) return;
      isDisposed = true;
      await Promise.allSettled(running);
      await close();
      releaseFreedMemory();
    },
  };
}
