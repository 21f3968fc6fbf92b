import { availableParallelism } from "node:os";
import { type Transferable, Worker } from "node:worker_threads";
import { busy, RequestError } from "../http/request-error.ts";
import type { InferBody, Port } from "../protocols/open-inference-body.ts";
import type { PredictBody } from "../protocols/tensorflow-serving-body.ts";
import { numbersIn, tensorsIn, type Unwritten, withTensors } from "../protocols/write-json.ts";
import { type Done, doWork, type Reply, type Work } from "./work.ts";

/** JSON from this size is read in a thread: about a millisecond of work. */
const largeBody = 64 * 1024;
/** Answers with this many numbers are written in a thread: about a millisecond of work. */
const manyNumbers = 8192;
/** More threads take processors from the models. */
const mostThreads = Math.min(4, availableParallelism());

/** Reads the bodies of requests and writes answers, large ones off the event loop. */
export interface JsonThreads {
  readPredict(bytes: Uint8Array, names: readonly string[]): Promise<PredictBody>;
  readInfer(bytes: Uint8Array, ports: readonly Port[], jsonLength: number | undefined): Promise<InferBody>;
  write(answer: Unwritten): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

export function createJsonThreads(): JsonThreads {
  const threads = new Set<Thread>();
  const inThread = async (work: Work, moved: Transferable[]): Promise<Done> => {
    const reply = await chosen(threads).ask(work, moved);
    if ("done" in reply) return reply.done;
    throw new RequestError(reply.status, reply.message);
  };
  return {
    async readPredict(bytes, names) {
      const work: Work = { do: "predict", bytes, names };
      return (await (bytes.length < largeBody ? doWork(work) : inThread(work, movable(bytes)))) as PredictBody;
    },
    async readInfer(bytes, ports, jsonLength) {
      const work: Work = { do: "infer", bytes, ports, jsonLength };
      const isLarge = (jsonLength ?? bytes.length) >= largeBody;
      return (await (isLarge ? inThread(work, movable(bytes)) : doWork(work))) as InferBody;
    },
    async write(answer) {
      if (numbersIn(answer) < manyNumbers) return doWork({ do: "write", answer }) as Uint8Array<ArrayBuffer>;
      // The rows of a request are a view of its batch, which other requests share: a copy moves.
      const own = withTensors(answer, ({ data, shape }) => ({ data: data.slice(), shape }));
      const moved = tensorsIn(own).map(({ data }) => data.buffer as ArrayBuffer);
      return (await inThread({ do: "write", answer: own }, moved)) as Uint8Array<ArrayBuffer>;
    },
    close: async () => void (await Promise.all([...threads].map((thread) => thread.end()))),
  };
}

/** The memory of a body that nobody else uses. */
function movable(bytes: Uint8Array): Transferable[] {
  return bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer as ArrayBuffer] : [];
}

/** The thread with the least to do; a new one if all have something. */
function chosen(threads: Set<Thread>): Thread {
  const [least] = [...threads].toSorted((a, b) => a.waiting() - b.waiting());
  if (least !== undefined && (least.waiting() === 0 || threads.size >= mostThreads)) return least;
  const thread = startThread(() => threads.delete(thread));
  threads.add(thread);
  return thread;
}

interface Thread {
  ask(work: Work, moved: Transferable[]): Promise<Reply>;
  waiting(): number;
  end(): Promise<unknown>;
}

function startThread(onEnd: () => void): Thread {
  // The thread must not get the process's flags (a loader, a profiler).
  const worker = new Worker(new URL("../../worker/json.js", import.meta.url), { execArgv: [] });
  worker.unref();
  const waiting = new Map<number, { resolve(reply: Reply): void; reject(error: Error): void }>();
  let count = 0;
  worker.on("message", ({ id, reply }: { readonly id: number; readonly reply: Reply }) => {
    waiting.get(id)?.resolve(reply);
    waiting.delete(id);
  });
  // A thread that ran out of memory is replaced by the next large body.
  const fail = (cause: Error): void => {
    onEnd();
    let error = cause;
    // Only the first was at work; the others may try again.
    for (const { reject } of waiting.values()) {
      reject(error);
      error = busy("The thread that reads and writes JSON ended: try again later.");
    }
    waiting.clear();
  };
  worker.on("error", () => fail(new RequestError(400, "The JSON does not fit into the memory that there is.")));
  worker.on("exit", () => fail(new RequestError(503, "The server is closing.")));
  return {
    ask: (work, moved) =>
      new Promise((resolve, reject) => {
        const id = count++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, work }, moved);
      }),
    waiting: () => waiting.size,
    end: () => worker.terminate(),
  };
}
