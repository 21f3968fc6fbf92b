/**
 * Runs `work` on every item, at most `limit` at a time, in order of start; resolves to the results in the items' order. The
 * first failure is thrown once the work under way has ended.
 */
export async function mapLimited<Item, Result>(
  items: ArrayLike<Item>,
  limit: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = Array.from({ length: items.length });
  const failures: unknown[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await work(items[index]!, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
  return results;
}

/** Lets at most `limit` of the works that it is given run at a time, the others wait in line. */
export function limiter(limit: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= limit) await new Promise<void>((turn) => waiting.push(turn));
    else running++;
    try {
      return await work();
    } finally {
      // The place passes on to the next in line, so `running` stays as it is.
      const turn = waiting.shift();
      if (turn === undefined) running--;
      else turn();
    }
  };
}

/** Work that goes on side by side, and work that has to be alone. */
export interface Gate {
  together<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Waits for what is under way; what comes after waits for it. */
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function gate(): Gate {
  const inside = new Set<Promise<unknown>>();
  const closing = new Set<Promise<unknown>>();

  const together = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    while (closing.size > 0) await Promise.all(closing);
    const running = work();
    inside.add(running);
    try {
      return await running;
    } finally {
      inside.delete(running);
    }
  };

  const alone = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    while (closing.size > 0) await Promise.all(closing);
    const running = Promise.allSettled(inside).then(work);
    const settled = Promise.allSettled([running]);
    closing.add(settled);
    try {
      return await running;
    } finally {
      closing.delete(settled);
    }
  };

  return { together, alone };
}
