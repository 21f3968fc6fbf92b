import { foreignFunctions } from "@convkit/engine/internal";
import type { Feed, Values } from "@convkit/graph";

import { PredictError } from "../../predict-error.ts";
import { elementTypes, type ElementType } from "../native/element-types.ts";
import { timedRequest, type InferRequest } from "../native/infer-request.ts";
import { valuesOf, viewAt, type NativeTensor, type Pointer } from "../native/tensors.ts";
import type { Port } from "../session.ts";
import { check, created, type Onnxruntime } from "./c-api.ts";

/** An input or output of a session. */
export type TypedPort = Port & { readonly element: ElementType };

/** An opened model. */
export interface OpenSession {
  readonly library: Onnxruntime;
  readonly session: Pointer;
  readonly inputs: readonly TypedPort[];
  readonly outputs: readonly TypedPort[];
}

/** Makes a request for inputs of the shapes of `feeds`. */
export function createRequest(
  { library, session, inputs: ports, outputs: outputPorts }: OpenSession,
  feeds: readonly Feed[],
): InferRequest {
  const { c, memoryInfo } = library;
  const binding = created(c, "create a request", (out) => c.createBinding(session, out));
  const own: NativeTensor[] = [];
  const make = (type: ElementType, shape: readonly number[]): NativeTensor => {
    const made = createTensor(library, type, shape);
    own.push(made);
    return made;
  };
  const dispose = (): void => {
    c.bindingFree(binding);
    for (const { tensor } of own.splice(0)) c.valueFree(tensor);
  };
  /** Lets the library find memory for the outputs of the next call: it would take that of the call before. */
  const bindAnyOutputs = (): void => {
    if (outputs !== undefined) return;
    for (const { name } of outputPorts) check(c, "take an output", c.bindAnyOutput(binding, name, memoryInfo));
  };
  let outputs: readonly NativeTensor[] | undefined;
  let inputs: readonly NativeTensor[];
  try {
    inputs = feeds.map(({ shape }, index) => {
      const { element, name } = ports[index]!;
      const input = make(element, shape);
      check(c, "take an input", c.bindInput(binding, name, input.tensor));
      return input;
    });
  } catch (error) {
    dispose();
    throw error;
  }
  let keepsOutputs = true;
  /** Whether the model must run again: its outputs have other shapes than before, as those of NonZero may. */
  const mustRepeat = (status: Pointer): boolean => {
    if (status === 0 || status === 0n) return false;
    if (outputs === undefined) check(c, "run the model", status);
    c.statusFree(status);
    outputs = undefined;
    keepsOutputs = false;
    bindAnyOutputs();
    return true;
  };
  const read = (): Values[] => {
    if (outputs !== undefined) return outputs.map(valuesOf);
    const found = boundOutputs(library, binding);
    if (!keepsOutputs) return found;
    // From now on the library writes into memory of ours, so that nothing has to be asked after a call.
    outputs = found.map(({ shape }, index) => {
      const { element, name } = outputPorts[index]!;
      const output = make(element, shape);
      check(c, "take an output", c.bindOutput(binding, name, output.tensor));
      return output;
    });
    return found;
  };
  return timedRequest({
    inputs,
    infer() {
      bindAnyOutputs();
      if (mustRepeat(c.run(session, 0, binding))) check(c, "run the model", c.run(session, 0, binding));
    },
    async inferLater() {
      bindAnyOutputs();
      if (mustRepeat(await later(c.run, session, binding)))
        check(c, "run the model", await later(c.run, session, binding));
    },
    keepsOutputs: () => outputs !== undefined,
    read,
    dispose,
  });
}

function createTensor({ c, allocator }: Onnxruntime, type: ElementType, shape: readonly number[]): NativeTensor {
  const dims = BigInt64Array.from(shape, BigInt);
  const tensor = created(c, "make a tensor", (out) =>
    c.createTensor(allocator, dims, shape.length, type.onnxruntime, out),
  );
  try {
    return { tensor, shape: [...shape], view: viewAt(memoryOf({ c }, tensor), type, shape) };
  } catch (error) {
    c.valueFree(tensor);
    throw error;
  }
}

function memoryOf({ c }: Pick<Onnxruntime, "c">, tensor: Pointer): Pointer {
  return created(c, "find a tensor's memory", (out) => c.tensorData(tensor, out));
}

/** Copies of the outputs in the library's own memory. */
function boundOutputs({ c, allocator }: Onnxruntime, binding: Pointer): Values[] {
  const [list, size]: [[Pointer | null], [number | null]] = [[null], [null]];
  check(c, "take the outputs", c.boundOutputs(binding, allocator, list, size));
  const count = Number(size[0]);
  if (count === 0) return [];
  const values = [...new BigUint64Array(foreignFunctions().view(BigInt(list[0]!), 8 * count))];
  try {
    return values.map((value) => {
      const info = created(c, "tell an output's shape", (out) => c.shapeOf(value, out));
      try {
        const { element, shape } = describeTensor({ c }, info, "An output");
        return valuesOf({ shape, view: viewAt(memoryOf({ c }, value), element, shape) });
      } finally {
        c.infoFree(info);
      }
    });
  } finally {
    for (const value of values) c.valueFree(value);
    c.allocatorFree(allocator, list[0]);
  }
}

/** The type and the shape of a tensor or port; sizes that are not known are negative. */
export function describeTensor(
  { c }: Pick<Onnxruntime, "c">,
  info: Pointer,
  name: string,
): { readonly element: ElementType; readonly shape: number[] } {
  const number = Number(created(c, "tell a port's type", (out) => c.elementType(info, out)));
  const element = elementTypes.find(({ onnxruntime }) => onnxruntime === number);
  if (element === undefined)
    throw new PredictError(
      `${name} has values of ONNX Runtime's type ${number}; predictions take float32, int32, int64, uint8 and bool.`,
    );
  const dims = new BigInt64Array(Number(created(c, "tell a port's shape", (out) => c.rank(info, out))));
  if (dims.length > 0) check(c, "tell a port's shape", c.dims(info, dims, dims.length));
  return { element, shape: [...dims].map(Number) };
}

/** Runs a session in another thread. */
function later(run: Onnxruntime["c"]["run"], session: Pointer, binding: Pointer): Promise<Pointer> {
  return new Promise((resolve, reject) => {
    run.async(session, 0, binding, (error: Error | null, status: Pointer) =>
      error === null ? resolve(status) : reject(error),
    );
  });
}
