import type { Runtime } from "./runtime/runtime.ts";

/** Rounds of each measurement. The fastest counts, since other processes may slow the others down. */
const rounds = 5;

/** Rows, columns and depth of the product that is timed: about a millisecond. */
const rows = 768;
const columns = 128;
const depth = 128;

/**
 * Measures whether `threads` threads are faster than one here, and from which amount of work, and shares jobs
 * accordingly. If they are not faster (a container with a CPU limit), one thread works alone, unless the user `asked`
 * for threads.
 */
export function calibrate(runtime: Runtime, threads: number, asked: boolean): void {
  const bytes = 4 * (rows * depth + depth * columns + rows * columns);
  const a = runtime.malloc(bytes);
  const product = (m: number, n: number, k: number): void => {
    const args = [a, a + 4 * m * k, a + 4 * (m * k + k * n), 1, m, n, k, 0, 0, 0, 0, 0, 0];
    runtime.run("matMul", args, "matMulUnits", m * n * k);
  };
  const large = (): void => product(rows, columns, depth);
  const small = (): void => product(200, 8, 1);
  try {
    const alone = best(large);
    const smallAlone = best(small);
    runtime.share(threads, 0);
    const together = best(large);
    const wake = Math.max(0, best(small) - smallAlone);
    // Helpers may be asleep when a job starts, so the threshold weighs the time to wake them 8 times.
    const threshold = ((8 * wake + 0.02) / alone) * rows * columns * depth;
    if (asked || together < alone / 1.15) runtime.share(threads, threshold);
    else runtime.share(1, Number.POSITIVE_INFINITY);
  } finally {
    runtime.free(a);
  }
}

function best(job: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    job();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}
