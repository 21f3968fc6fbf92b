import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { Feed, Values } from "@convkit/graph";

import { PredictError } from "../../predict-error.ts";
import { closableSession } from "../closable-session.ts";
import type { Port, Session, SessionOptions } from "../session.ts";

type Answer = { readonly id: number; readonly error?: string } & Partial<Opened> & { readonly values?: Values[] };

interface Opened {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** ONNX Runtime's version and the file that is loaded; undefined if `onnxruntime-node` is not installed. */
export function findOnnxruntime(): { readonly version: string; readonly file: string } | undefined {
  const require = createRequire(import.meta.url);
  try {
    const { version } = require("onnxruntime-node/package.json") as { version: string };
    return { version, file: require.resolve("onnxruntime-node") };
  } catch {
    return undefined;
  }
}

/**
 * Opens the bytes of an ONNX file in ONNX Runtime on the CPU, in a thread of its own: its runs block the thread that asks for them.
 * Throws a PredictError with ONNX Runtime's reason.
 */
export async function openOnnxruntime(bytes: Uint8Array, { precision, threads }: SessionOptions): Promise<Session> {
  const found = findOnnxruntime();
  if (found === undefined) throw new PredictError('ONNX Runtime is not installed: "npm install onnxruntime-node".');
  if (precision !== "float32")
    throw new PredictError(
      `ONNX Runtime computes in float32 on the CPU, not in ${precision}: use the runtime openvino.`,
    );
  const worker = startWorker();
  try {
    const open = { bytes, threads, module: pathToFileURL(found.file).href };
    const { inputs, outputs } = (await worker.ask({ open }, "read the model")) as unknown as Opened;
    return sessionOf(worker, { inputs, outputs });
  } catch (error) {
    await worker.end();
    throw error;
  }
}

function sessionOf(worker: OnnxWorker, ports: Opened): Session {
  const run = async (feeds: readonly Feed[]): Promise<Values[]> => {
    const typed = feeds.map(({ data, shape }, index) => ({ data: valuesOf(ports.inputs[index]!.type, data), shape }));
    return (await worker.ask({ feeds: typed }, "run the model")).values!;
  };
  return closableSession(ports, run, async () => {
    await worker.ask({}, "close").catch(() => {});
    await worker.end();
  });
}

/** The values as ONNX Runtime wants them for an input of that type. */
function valuesOf(type: string, data: Feed["data"]): Feed["data"] | BigInt64Array {
  // The whole memory behind a view would go along to the thread.
  if (type === "float32")
    return data instanceof Float32Array && data.byteLength === data.buffer.byteLength ? data : Float32Array.from(data);
  if (type === "int32") return Int32Array.from(data);
  if (type === "uint8" || type === "bool") return Uint8Array.from(data);
  if (type === "int64") return BigInt64Array.from(data, BigInt);
  throw new PredictError(`The model's input holds ${type}; predictions take float32, int32, int64, uint8 and bool.`);
}

interface OnnxWorker {
  ask(message: object, what: string): Promise<Answer>;
  end(): Promise<void>;
}

function startWorker(): OnnxWorker {
  // The thread must not get the process's flags (a loader, a profiler).
  const worker = new Worker(new URL("../../../worker/onnxruntime.js", import.meta.url), { execArgv: [] });
  worker.unref();
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void; what: string }>();
  let count = 0;
  let ended: string | undefined;
  const settle = (id: number) => {
    const one = waiting.get(id)!;
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    return one;
  };
  const fail = (reason: string) => {
    ended ??= reason;
    for (const [id, { what }] of waiting)
      settle(id).reject(new PredictError(`ONNX Runtime cannot ${what}: ${reason}.`));
  };
  worker.on("message", (answer: Answer) => {
    const { resolve, reject, what } = settle(answer.id);
    if (answer.error === undefined) resolve(answer);
    else reject(new PredictError(`ONNX Runtime cannot ${what}: ${answer.error.split("\n")[0]!.replace(/\.$/, "")}.`));
  });
  worker.on("error", (error) => fail(error.message.replace(/\.$/, "")));
  worker.on("exit", () => fail("its thread ended"));
  return {
    ask(message, what) {
      return new Promise((resolve, reject) => {
        // A message to a thread that ended gets no answer.
        if (ended !== undefined) throw new PredictError(`ONNX Runtime cannot ${what}: ${ended}.`);
        const id = ++count;
        worker.postMessage({ id, ...message }, []);
        waiting.set(id, { resolve, reject, what });
        worker.ref();
      });
    },
    end: async () => void (await worker.terminate()),
  };
}
