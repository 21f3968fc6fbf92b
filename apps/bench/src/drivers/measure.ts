/**
 * Milliseconds a step: `count` means, each over as many steps as fill `seconds / count` (`python/measuring.py` is the same in
 * Python). Slow steps get fewer samples: none is begun after four times `seconds`.
 */
export async function measure(
  step: (index: number) => Promise<unknown>,
  seconds: number,
  count: number,
): Promise<number[]> {
  let begin = performance.now();
  let last = 0;
  for (let warm = 0; warm < 3 && performance.now() - begin < 2000 * seconds; warm++) {
    const start = performance.now();
    await step(warm);
    last = performance.now() - start;
  }
  const size = Math.max(1, Math.min(1000, Math.round((seconds * 1000) / count / last)));
  begin = performance.now();
  const times: number[] = [];
  while (times.length < count && performance.now() - begin < 4000 * seconds) {
    const start = performance.now();
    for (let index = 0; index < size; index++) await step(index);
    times.push((performance.now() - start) / size);
  }
  return times;
}

/** Milliseconds a batch, a sample an epoch. */
export async function measureEpochs(
  batches: () => AsyncIterable<unknown>,
  seconds: number,
  count: number,
): Promise<number[]> {
  const begin = performance.now();
  const times: number[] = [];
  while (times.length < count && performance.now() - begin < 4000 * seconds) {
    const start = performance.now();
    let number = 0;
    for await (const _ of batches()) number++;
    times.push((performance.now() - start) / number);
  }
  return times;
}
