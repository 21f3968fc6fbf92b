import process from "node:process";

import { withoutWorkers } from "../without-workers.ts";

const events = ["uncaughtException", "unhandledRejection"] as const;

/**
 * Runs `start`, which loads tfjs' module, without two of its habits: it starts threads of its own, and it installs handlers that
 * change how the process ends on an error.
 */
export async function quietStart<T>(start: () => T | Promise<T>): Promise<T> {
  const before = events.map((event) => process.listeners(event as "uncaughtException"));
  try {
    return await withoutWorkers(start);
  } finally {
    for (const [index, event] of events.entries()) {
      for (const listener of process.listeners(event as "uncaughtException")) {
        if (!before[index]!.includes(listener)) process.removeListener(event, listener);
      }
    }
  }
}
