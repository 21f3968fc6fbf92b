import { threadsOf } from "@convkit/engine/internal";

/**
 * What to tell whoever asks for a number of threads other than TensorFlow's in this process; undefined if it is the same. A
 * process has one pool of threads for all ops, which cannot change once TensorFlow is loaded.
 */
export function otherThreads(where: string, threads: number | undefined): string | undefined {
  const running = threadsOf();
  if (threads === undefined || threads === running) return undefined;
  return `${where}: TensorFlow computes with ${running} ${running === 1 ? "thread" : "threads"} in this process, not with ${threads}: give useEngine the number at its first use.`;
}

const warned = new Set<string>();

/** Node's warning, once in a process for a text. */
export function warnOnce(line: string): void {
  if (warned.has(line)) return;
  warned.add(line);
  process.emitWarning(line);
}
