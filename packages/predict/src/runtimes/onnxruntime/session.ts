import { PredictError } from "../../predict-error.ts";
import type { OnnxFile } from "../runtime.ts";
import { closableSession } from "../closable-session.ts";
import { requestPool } from "../native/request-pool.ts";
import type { Pointer } from "../native/tensors.ts";
import type { Port, Session, SessionOptions } from "../session.ts";
import { check, created, onnxruntime, type Onnxruntime } from "./c-api.ts";
import { createRequest, describeTensor, type TypedPort } from "./request.ts";

/**
 * Opens an ONNX file in ONNX Runtime on the CPU: its C library from `onnxruntime-node`, whose own interface blocks the
 * thread that asks for a run. Throws a PredictError with ONNX Runtime's reason.
 */
export async function openOnnxruntime(file: OnnxFile, { precision, ...options }: SessionOptions): Promise<Session> {
  const library = onnxruntime();
  if (precision !== "float32")
    throw new PredictError(
      `ONNX Runtime computes in float32 on the CPU, not in ${precision}: use the runtime openvino.`,
    );
  const { c } = library;
  const session = await createSession(library, file, options);
  try {
    const ports = {
      inputs: portsOf(library, session, { count: c.inputCount, name: c.inputName, type: c.inputType }),
      outputs: portsOf(library, session, { count: c.outputCount, name: c.outputName, type: c.outputType }),
    };
    const pool = requestPool((feeds) => createRequest({ library, session, ...ports }, feeds), undefined);
    const plain = (all: readonly TypedPort[]) => all.map(({ element: _element, ...port }): Port => port);
    return closableSession({ inputs: plain(ports.inputs), outputs: plain(ports.outputs) }, pool, () => {
      pool.dispose();
      c.sessionFree(session);
    });
  } catch (error) {
    c.sessionFree(session);
    throw error;
  }
}

/** Reads and optimizes the model in another thread. */
async function createSession(
  { c, env }: Onnxruntime,
  file: OnnxFile,
  { threads, spins = true }: Omit<SessionOptions, "precision">,
): Promise<Pointer> {
  const options = created(c, "start", (out) => c.createOptions(out));
  try {
    if (threads !== undefined) check(c, "take the threads", c.setThreads(options, threads));
    if (!spins)
      check(c, "keep its threads from spinning", c.setOption(options, "session.intra_op.allow_spinning", "0"));
    const out: [Pointer | null] = [null];
    const status = await new Promise<Pointer>((resolve, reject) => {
      const ended = (error: Error | null, found: Pointer) => (error === null ? resolve(found) : reject(error));
      if (typeof file === "string") c.createSession.async(env, file, options, out, ended);
      else c.createSessionOfBytes.async(env, file, file.byteLength, options, out, ended);
    });
    check(c, "read the model", status);
    return out[0]!;
  } finally {
    c.optionsFree(options);
  }
}

type Functions = Onnxruntime["c"];

function portsOf(
  { c, allocator }: Onnxruntime,
  session: Pointer,
  of: { readonly count: Functions["run"]; readonly name: Functions["run"]; readonly type: Functions["run"] },
): TypedPort[] {
  const count = Number(created(c, "count the ports", (out) => of.count(session, out)));
  return Array.from({ length: count }, (_, index) => {
    const name = created<string>(c, "name a port", (out) => of.name(session, index, allocator, out));
    const type = created(c, "tell a port's type", (out) => of.type(session, index, out));
    try {
      const info = created(c, "tell a port's type", (out) => c.tensorInfo(type, out));
      if (BigInt(info) === 0n) throw new PredictError(`"${name}" is no tensor; predictions take tensors only.`);
      const { element, shape } = describeTensor({ c }, info, `"${name}"`);
      return { name, type: element.name, shape: shape.map((size) => (size < 0 ? null : size)), element };
    } finally {
      c.typeFree(type);
    }
  });
}
