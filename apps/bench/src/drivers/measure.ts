/**
 * Measures milliseconds per step: `count` means, each over as many steps as fill `seconds / count`
 * (`python/measuring.py` does the same). `last` is the time of an earlier step that was not the first; a step that
 * fills `seconds` needs no further warm-up. Slow steps get fewer samples: no sample starts after three times `seconds`.
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
 * Measures milliseconds per batch of an endless stream of epochs. Warms up for `2 * seconds`, while pipelines tune
 * themselves and fill their buffers. Then takes `count` samples without a pause, each of as many whole epochs as fill
 * `seconds`. Every sample begins and ends with the same number of prefetched batches, so prefetching does not distort
 * it, and includes the cost of starting epochs. Slow streams get fewer samples: none starts after three times `seconds
 * * count`.
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

/** Runs `run` and returns its result with the milliseconds it took. */
export async function timed<T>(run: () => Promise<T>): Promise<[result: T, ms: number]> {
  const start = performance.now();
  const result = await run();
  return [result, performance.now() - start];
}
