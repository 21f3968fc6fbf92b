/** Milliseconds that calls may hold the event loop in one of its turns, all together. */
const longestBlock = 4;

let blockedSince: number | undefined;

/**
 * Whether a call of microseconds may still run at once. Promises that are settled at once never let the event loop turn, so a long
 * row of such calls must now and then wait for a thread instead.
 */
export function mayBlock(): boolean {
  const now = performance.now();
  if (blockedSince === undefined) {
    blockedSince = now;
    setImmediate(() => (blockedSince = undefined));
    return true;
  }
  return now - blockedSince < longestBlock;
}
