import { Worker } from "node:worker_threads";
import { RequestError } from "../http/request-error.ts";
import type { InferBody } from "../protocols/open-inference-body.ts";
import type { PredictBody } from "../protocols/tensorflow-serving-body.ts";
import { parse, type Read, type Unread } from "./parse.ts";

/** Bodies from this size are parsed in a thread: about a millisecond of JSON. */
const large = 64 * 1024;

/** Parses the bodies of requests, large ones off the event loop. */
export interface Parser {
  predict(bytes: Uint8Array, names: readonly string[]): Promise<PredictBody>;
  infer(bytes: Uint8Array, jsonLength: number | undefined): Promise<InferBody>;
  close(): Promise<void>;
}

export function createParser(): Parser {
  let thread: Thread | undefined;
  const run = async (unread: Unread, json: number): Promise<PredictBody | InferBody> => {
    if (json < large) return parse(unread);
    thread ??= startThread(() => (thread = undefined));
    const read = await thread.ask(unread);
    if ("body" in read) return read.body;
    throw new RequestError(read.status, read.message);
  };
  return {
    predict: (bytes, names) => run({ kind: "predict", bytes, names }, bytes.length) as Promise<PredictBody>,
    infer: (bytes, jsonLength) =>
      run({ kind: "infer", bytes, jsonLength }, jsonLength ?? bytes.length) as Promise<InferBody>,
    close: async () => void (await thread?.end()),
  };
}

interface Thread {
  ask(unread: Unread): Promise<Read>;
  end(): Promise<unknown>;
}

function startThread(onEnd: () => void): Thread {
  // The thread must not get the process's flags (a loader, a profiler).
  const worker = new Worker(new URL("../../worker/parse.js", import.meta.url), { execArgv: [] });
  worker.unref();
  const waiting = new Map<number, { resolve(read: Read): void; reject(error: Error): void }>();
  let count = 0;
  worker.on("message", ({ id, read }: { readonly id: number; readonly read: Read }) => {
    waiting.get(id)?.resolve(read);
    waiting.delete(id);
  });
  // A thread that ran out of memory is replaced by the next large body.
  const fail = (error: Error): void => {
    onEnd();
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on("error", () => fail(new RequestError(400, "The body cannot be parsed in the memory that there is.")));
  worker.on("exit", () => fail(new RequestError(503, "The server is closing.")));
  return {
    ask: (unread) =>
      new Promise((resolve, reject) => {
        const id = count++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, unread }, []);
      }),
    end: () => worker.terminate(),
  };
}
