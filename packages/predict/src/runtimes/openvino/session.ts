import { foreignFunctions } from "@convkit/engine/internal";
import type { Feed, Values } from "@convkit/graph";

import { PredictError } from "../../predict-error.ts";
import { closableSession } from "../closable-session.ts";
import { mayBlock } from "../may-block.ts";
import type { Port, Session, SessionOptions } from "../session.ts";
import { check, created, openvino, properties, type Openvino, type Pointer } from "./c-api.ts";
import { elementTypes, type ElementType } from "./element-types.ts";
import { createRequest, type InferRequest } from "./request.ts";

/** Opens the bytes of an ONNX file in OpenVINO on the CPU. Throws a PredictError with OpenVINO's own reason. */
export async function openOpenvino(bytes: Uint8Array, { precision, threads }: SessionOptions): Promise<Session> {
  const library = await openvino();
  const { c, core } = library;
  if (precision === "bfloat16" && !capabilities(library).includes("BF16"))
    throw new PredictError("This CPU has no unit for bfloat16, so OpenVINO would compute in float32: ask for float32.");
  const model = created(c, "read the model", (out) => c.readModel(core, bytes, bytes.byteLength, 0, out));
  const settings = properties({
    // Without it the plugin chooses bfloat16 by itself on machines that have it.
    INFERENCE_PRECISION_HINT: precision === "bfloat16" ? "bf16" : "f32",
    NUM_STREAMS: "1",
    ...(threads !== undefined && { INFERENCE_NUM_THREADS: String(threads) }),
  });
  let compiled: Pointer;
  try {
    compiled = await compile(library, model, settings);
  } finally {
    c.modelFree(model);
  }
  try {
    return sessionOf(library, compiled);
  } catch (error) {
    c.compiledFree(compiled);
    throw error;
  }
}

function compile({ c, core }: Openvino, model: Pointer, settings: ReturnType<typeof properties>): Promise<Pointer> {
  return new Promise((resolve, reject) => {
    const out: [Pointer | null] = [null];
    c.compile.async(core, model, "CPU", settings.length, settings, out, (error: Error | null, status: number) => {
      try {
        if (error !== null) throw error;
        check(c, "compile the model", status);
        resolve(out[0]!);
      } catch (problem) {
        reject(problem as Error);
      }
    });
  });
}

/** What the CPU computes fast: FP32, BF16, INT8 … */
function capabilities({ c, core }: Openvino): readonly string[] {
  const text = created<string>(c, "describe the CPU", (out) =>
    c.coreProperty(core, "CPU", "OPTIMIZATION_CAPABILITIES", out),
  );
  return text.split(/[ ,]+/);
}

function sessionOf(library: Openvino, compiled: Pointer): Session {
  const { c } = library;
  const inputCount = Number(created(c, "count the inputs", (out) => c.inputCount(compiled, out)));
  const outputCount = Number(created(c, "count the outputs", (out) => c.outputCount(compiled, out)));
  const ports = (get: typeof c.input, count: number) =>
    Array.from({ length: count }, (_, index) => {
      const port = created(c, "describe the model", (out) => get(compiled, index, out));
      try {
        return describePort(library, port);
      } finally {
        c.portFree(port);
      }
    });
  const inputs = ports(c.input, inputCount);
  const outputs = ports(c.output, outputCount);
  const typesOf = (all: readonly TypedPort[]) => all.map(({ element }) => element);
  const types = { inputs: typesOf(inputs), outputs: typesOf(outputs) };
  // Each has the memory of one batch size: the newest are kept.
  const idle: InferRequest[] = [];
  const takeIdle = (feeds: readonly Feed[]): InferRequest | undefined => {
    const place = idle.findLastIndex((request) => request.fits(feeds));
    return place === -1 ? undefined : idle.splice(place, 1)[0];
  };
  const giveBack = (request: InferRequest): void => {
    idle.push(request);
    if (idle.length > mostIdle) idle.shift()!.dispose();
  };
  const run = async (feeds: readonly Feed[]): Promise<Values[]> => {
    const request = takeIdle(feeds) ?? createRequest(library, compiled, types, feeds);
    try {
      return await request.run(feeds);
    } finally {
      giveBack(request);
    }
  };
  const runNow = (feeds: readonly Feed[]): Values[] | undefined => {
    const last = idle.at(-1);
    const request = last?.fits(feeds) === true ? last : idle.findLast((each) => each.fits(feeds));
    return request?.isQuick() === true && mayBlock() ? request.runNow(feeds) : undefined;
  };
  const close = (): void => {
    for (const request of idle.splice(0)) request.dispose();
    c.compiledFree(compiled);
  };
  return closableSession({ inputs, outputs }, run, close, runNow);
}

/** Requests that are kept for further calls. */
const mostIdle = 16;

type TypedPort = Port & { readonly element: ElementType };

function describePort({ c }: Openvino, port: Pointer): TypedPort {
  const name = created<string>(c, "name a port", (out) => c.portName(port, out));
  const number = Number(created(c, "tell a port's type", (out) => c.portType(port, out)));
  const element = elementTypes.find((each) => each.number === number);
  if (element === undefined)
    throw new PredictError(
      `"${name}" has values of OpenVINO's type ${number}; predictions take float32, int32, int64, uint8 and bool.`,
    );
  const shape = created<PartialShape>(c, "tell a port's shape", (out) => c.portShape(port, out));
  const dims = Number(shape.rank.min) === Number(shape.rank.max) ? Number(shape.rank.max) : 0;
  const bytes =
    dims === 0 ? new BigInt64Array() : new BigInt64Array(foreignFunctions().view(BigInt(shape.dims), dims * 16));
  const sizes = Array.from({ length: dims }, (_, axis) => {
    const [min, max] = [bytes[2 * axis]!, bytes[2 * axis + 1]!];
    return min === max ? Number(max) : null;
  });
  c.partialShapeFree(shape);
  return { name, shape: sizes, type: element.name, element };
}

/** koffi's value of an `ov_partial_shape_t`. */
interface PartialShape {
  readonly rank: { readonly min: number | bigint; readonly max: number | bigint };
  readonly dims: Pointer;
}
