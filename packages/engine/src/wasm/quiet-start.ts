import process from "node:process";

const events = ["uncaughtException", "unhandledRejection"] as const;

/** A stub for the workers that tfjs' threaded module creates while it starts. It never runs a thread. */
class Stand {
  onmessage: ((event: { data: { cmd: string } }) => void) | undefined;

  postMessage(message: { cmd?: string }): void {
    if (message.cmd === "load") queueMicrotask(() => this.onmessage?.({ data: { cmd: "loaded" } }));
  }

  on(): void {}
  ref(): void {}
  unref(): void {}
  terminate(): void {}
}

/**
 * Runs `start`, which loads tfjs' module, without two of its habits: it starts eight threads of its own from a blob
 * URL, which Node refuses (our kernels have their own threads), and it installs handlers that change how the process
 * ends on an error.
 */
export async function quietStart<T>(start: () => T | Promise<T>): Promise<T> {
  const worker = Object.getOwnPropertyDescriptor(globalThis, "Worker");
  const before = events.map((event) => process.listeners(event as "uncaughtException"));
  Object.defineProperty(globalThis, "Worker", { configurable: true, get: () => Stand, set: () => {} });
  try {
    return await start();
  } finally {
    if (worker === undefined) Reflect.deleteProperty(globalThis, "Worker");
    else Object.defineProperty(globalThis, "Worker", worker);
    for (const [index, event] of events.entries()) {
      for (const listener of process.listeners(event as "uncaughtException")) {
        if (!before[index]!.includes(listener)) process.removeListener(event, listener);
      }
    }
  }
}
