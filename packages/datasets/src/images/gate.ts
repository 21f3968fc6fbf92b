/** Runs some work concurrently, and other work alone. */
export interface Gate {
  together<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Waits until earlier work has ended; later work waits for this. */
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
