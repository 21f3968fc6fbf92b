import { signal } from "@preact/signals";
import { type Remote, wrap } from "comlink";
import type { Compute, EngineChoice as Choice, EngineReport } from "./compute/compute.ts";
import { attempt, notice } from "./notice.ts";

let worker: Worker | undefined;
let remote: Remote<Compute>;

/** The engine that computes; undefined until it has started. */
export const engine = signal<EngineReport | undefined>(undefined);

/** The engine that the reader chose. */
export const engineChoice = signal<Choice>("auto");

/** Counts the workers: what an older one knew is lost. */
export const generation = signal(0);

/** Starts a worker that computes with the chosen engine. One from before ends, and forgets the network that it was taught. */
export async function startComputing(): Promise<void> {
  worker?.terminate();
  engine.value = undefined;
  generation.value++;
  worker = new Worker(new URL("compute.js", import.meta.url), { type: "module" });
  worker.addEventListener("error", (event) => {
    notice.value = `The part of this page that computes has failed: ${event.message || "the browser ended it"}. Load the page again.`;
  });
  remote = wrap<Compute>(worker);
  await attempt(async () => {
    engine.value = await remote.start(engineChoice.value);
  });
}

/** What computes for the page. */
export function computing(): Remote<Compute> {
  return remote;
}

/**
 * Does work that may need much memory. Where the memory of the browser ends, the worker is begun anew, so that the page works on, and the
 * error says so.
 */
export async function heavy<T>(work: (remote: Remote<Compute>) => Promise<T>): Promise<T> {
  try {
    return await work(remote);
  } catch (error) {
    if (!isOutOfMemory(error as Error)) throw error;
    await startComputing();
    throw new Error(
      "This browser has no more memory for that: take fewer pictures, or the small network. A network that was taught before is lost.",
      { cause: error },
    );
  }
}

function isOutOfMemory({ name, message }: Error): boolean {
  return (
    name === "OutOfMemoryError" ||
    /out of memory|allocation failed|device (?:was |is )?lost|failed to allocate/iu.test(message)
  );
}
