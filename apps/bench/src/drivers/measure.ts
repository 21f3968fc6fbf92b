/**
 * Milliseconds a step: `count` means, each over as many steps as fill `seconds / count` (`python/measuring.py` is the same in
 * Python). `last` is how long a step took that was no first one: one that fills `seconds` needs no further warm-up. Slow steps
 * get fewer samples: none is begun after three times `seconds`.
 */
export async function measure(
  step: (index: number) => Promise<unknown>,
  seconds: number,
  count: number,
  last = 0,
): Promise<number[]> {
  let begin = performance.now();
  for (let warm = 0; warm < 3 && last < 1000 * seconds && performance.now() - begin < 2000 * seconds; warm++) {
    const start = performance.now();
    await step(warm);
    last = performance.now() - start;
  }
  const size = Math.max(1, Math.min(1000, Math.round((seconds * 1000) / count / last)));
  begin = performance.now();
  const times: number[] = [];
  while (times.length < count && performance.now() - begin < 3000 * seconds) {
    const start = performance.now();
    for (let index = 0; index < size; index++) await step(index);
    times.push((performance.now() - start) / size);
  }
  return times;
}

/**
 * Milliseconds a batch of an endless stream, epoch after epoch: after epochs of `2 * seconds` in which pipelines tune themselves
 * and fill their buffers, `count` samples of as many whole epochs as fill `seconds` each, without a pause in between. Each
 * sample begins and ends with equally many prefetched batches, so prefetching does not distort it, and every sample includes the
 * cost of starting epochs. Slow streams get fewer: none is begun after three times `seconds * count`.
 */
export async function measureStream(
  batches: () => AsyncIterable<{ release?(): void }>,
  seconds: number,
  count: number,
): Promise<number[]> {
  const times: number[] = [];
  let start = performance.now();
  let number = 0;
  let begin: number | undefined;
  for (;;) {
    for await (const batch of batches()) {
      batch.release?.();
      number++;
    }
    const now = performance.now();
    if (now - start < (begin === undefined ? 2000 : 1000) * seconds) continue;
    if (begin !== undefined) times.push((now - start) / number);
    begin ??= now;
    if (times.length === count || now - begin > 3000 * seconds * count) return times;
    [start, number] = [now, 0];
  }
}

/** A result, and the milliseconds that it took. */
export async function timed<T>(run: () => Promise<T>): Promise<[result: T, ms: number]> {
  const start = performance.now();
  const result = await run();
  return [result, performance.now() - start];
}
