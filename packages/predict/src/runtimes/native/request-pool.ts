import type { Feed, Values } from "@convkit/graph";

import { mayBlock } from "../may-block.ts";
import type { InferRequest } from "./infer-request.ts";

/** The requests of an opened model: each has the memory of one shape of the inputs. */
export interface RequestPool {
  /** `runNow` of a session. */
  runNow(feeds: readonly Feed[], prepare?: (feeds: readonly Feed[]) => readonly Feed[]): Values[] | undefined;
  run(feeds: readonly Feed[]): Promise<Values[]>;
  /** Adds a request that is always kept, and taken before the others. */
  keep(request: InferRequest): void;
  /** Disposes of the requests; none may be on its way. */
  dispose(): void;
}

/** Requests that are kept for further calls, besides those of `keep`. */
const mostIdle = 16;

/** Makes a request where no idle one has the shapes of the inputs; `onQuick` hears of each call at once of a request that is not kept. */
export function requestPool(
  create: (feeds: readonly Feed[]) => InferRequest,
  onQuick: ((feeds: readonly Feed[]) => void) | undefined,
): RequestPool {
  const idle: InferRequest[] = [];
  const idleKept: InferRequest[] = [];
  const kept = new WeakSet<InferRequest>();
  const takeIdle = (feeds: readonly Feed[]): InferRequest | undefined => {
    for (const list of [idleKept, idle]) {
      const place = list.findLastIndex((request) => request.fits(feeds));
      if (place !== -1) return list.splice(place, 1)[0];
    }
    return undefined;
  };
  const giveBack = (request: InferRequest): void => {
    if (kept.has(request)) idleKept.push(request);
    else idle.push(request);
    if (idle.length > mostIdle) idle.shift()!.dispose();
  };
  return {
    runNow(feeds, prepare) {
      const fits = (each: InferRequest): boolean => each.fits(feeds);
      const request = idleKept.find(fits) ?? idle.findLast(fits);
      if (request?.isQuick() !== true || !mayBlock()) return undefined;
      const ready = prepare === undefined ? feeds : prepare(feeds);
      if (onQuick !== undefined && !kept.has(request)) onQuick(ready);
      return request.runNow(ready);
    },
    async run(feeds) {
      const request = takeIdle(feeds) ?? create(feeds);
      try {
        return await request.run(feeds);
      } finally {
        giveBack(request);
      }
    },
    keep(request) {
      kept.add(request);
      idleKept.push(request);
    },
    dispose() {
      for (const request of [...idle.splice(0), ...idleKept.splice(0)]) request.dispose();
    },
  };
}
