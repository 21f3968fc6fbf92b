/**
 * Starts a clock of this process: gives the milliseconds since then, without those in which other programs had the processors. They are
 * the smaller of the wall clock's and of the processor time, which several threads may spend at once.
 */
export function ownTime(): () => number {
  const [start, before] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    return Math.min(performance.now() - start, (user + system) / 1000);
  };
}
