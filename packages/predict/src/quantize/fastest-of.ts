import type { Feed } from "@convkit/graph";

import { openOnnx } from "../runtimes/runtime.ts";
import type { OnnxRuntimeName } from "../runtimes/runtime-names.ts";
import type { Session } from "../runtimes/session.ts";

/** Milliseconds of a call of each file: the fastest of some, turn by turn, so that other work on the machine meets all alike. */
export async function fastestOf(
  runtime: OnnxRuntimeName,
  files: readonly Uint8Array[],
  feed: Feed,
  threads: number | undefined,
): Promise<number[]> {
  const sessions: Session[] = [];
  try {
    for (const bytes of files) sessions.push(await openOnnx(runtime, bytes, { precision: "float32", threads }));
    for (const session of sessions) await session.run([feed]);
    const best = sessions.map(() => Infinity);
    const end = performance.now() + 500 * sessions.length;
    for (let round = 0; round < 200 && (round < 3 || performance.now() < end); round++)
      for (const [index, session] of sessions.entries()) {
        const start = performance.now();
        if (session.runNow?.([feed]) === undefined) await session.run([feed]);
        best[index] = Math.min(best[index]!, performance.now() - start);
      }
    return best;
  } finally {
    for (const session of sessions) await session.dispose();
  }
}
