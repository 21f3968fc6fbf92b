// Runs ONNX Runtime in a thread of its own, since its runs block the thread that asks for them. Plain JavaScript, because a worker
// starts from a file as it is. Messages: { id, open | feeds | close }; answers: { id, …result } or { id, error }.
import { parentPort } from "node:worker_threads";

let runtime;
let session;

async function answer({ open, feeds }) {
  if (open !== undefined) {
    runtime = await import(open.module);
    runtime = runtime.default ?? runtime;
    session = await runtime.InferenceSession.create(open.bytes, {
      executionProviders: ["cpu"],
      logSeverityLevel: 3,
      ...(open.threads !== undefined && { intraOpNumThreads: open.threads }),
    });
    const port = ({ name, shape = [], type }) => ({
      name,
      type,
      shape: shape.map((size) => (typeof size === "number" && size >= 0 ? size : null)),
    });
    return { inputs: session.inputMetadata.map(port), outputs: session.outputMetadata.map(port) };
  }
  if (feeds !== undefined) {
    const tensors = feeds.map(({ data, shape }, index) => {
      const { name, type } = session.inputMetadata[index];
      return [name, new runtime.Tensor(type, data, shape)];
    });
    const outputs = await session.run(Object.fromEntries(tensors));
    const values = session.outputNames.map((name) => {
      const { data, dims } = outputs[name];
      return { data: data instanceof Float32Array ? data : Float32Array.from(data, Number), shape: [...dims] };
    });
    return { values };
  }
  await session?.release();
  return {};
}

parentPort.on("message", async ({ id, ...message }) => {
  try {
    parentPort.postMessage({ id, ...(await answer(message)) }, []);
  } catch (error) {
    parentPort.postMessage({ id, error: String(error?.message ?? error) }, []);
  }
});
