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
 * Runs `start`, which loads tfjs' module, while `Worker` is a stub: the module starts eight threads of its own from a blob URL, which
 * Node refuses and in which minified pages hang. Our kernels have their own threads.
 */
export async function withoutWorkers<T>(start: () => T | Promise<T>): Promise<T> {
  const worker = Object.getOwnPropertyDescriptor(globalThis, "Worker");
  Object.defineProperty(globalThis, "Worker", { configurable: true, get: () => Stand, set: () => {} });
  try {
    return await start();
  } finally {
    if (worker === undefined) Reflect.deleteProperty(globalThis, "Worker");
    else Object.defineProperty(globalThis, "Worker", worker);
  }
}
