import { foreignFunctions } from "@convkit/engine/internal";
import type { Feed, Values } from "@convkit/graph";

import type { ElementType } from "../native/element-types.ts";
import { timedRequest, type InferRequest } from "../native/infer-request.ts";
import { isSameShape, valuesOf, viewAt, type NativeTensor, type Pointer } from "../native/tensors.ts";
import { check, created, type Openvino } from "./c-api.ts";
import { portAt } from "./ports.ts";

/** The types of a model's inputs and outputs. */
export interface PortTypes {
  readonly inputs: readonly ElementType[];
  readonly outputs: readonly ElementType[];
}

/** Makes a request for inputs of the shapes of `feeds`. */
export function createRequest(
  library: Openvino,
  compiled: Pointer,
  types: PortTypes,
  feeds: readonly Feed[],
): InferRequest {
  const { c } = library;
  const request = created(c, "create a request", (out) => c.createRequest(compiled, out));
  const own: NativeTensor[] = [];
  const make = (type: ElementType, shape: readonly number[]): NativeTensor => {
    const made = createTensor(library, type, shape);
    own.push(made);
    return made;
  };
  const dispose = (): void => {
    c.requestFree(request);
    for (const { tensor } of own.splice(0)) c.tensorFree(tensor);
  };
  let inputs: readonly NativeTensor[];
  try {
    inputs = feeds.map(({ shape }, index) => {
      const input = make(types.inputs[index]!, shape);
      check(c, "take an input", c.setInput(request, index, input.tensor));
      return input;
    });
  } catch (error) {
    dispose();
    throw error;
  }
  let outputs: readonly NativeTensor[] | undefined;
  /** Outputs whose shapes may change from call to call though the inputs' do not, as those of NonZero do. */
  let varying: readonly number[] = [];
  let keepsOutputs = true;
  const read = (): Values[] => {
    if (outputs !== undefined && varying.every((index) => isAsBefore(outputs![index]!))) return outputs.map(valuesOf);
    const found = types.outputs.map((type, index) => firstOutput(library, request, type, index));
    // The library moved an output that has grown: what JavaScript sees of its memory holds no longer.
    if (outputs !== undefined) keepsOutputs = false;
    outputs = undefined;
    if (!keepsOutputs) return found;
    outputs = found.map(({ shape }, index) => {
      const output = make(types.outputs[index]!, shape);
      check(c, "take an output", c.setOutput(request, index, output.tensor));
      return output;
    });
    varying = types.outputs.flatMap((_, index) => (portAt(library, c.output, compiled, index).isFixed ? [] : [index]));
    return found;
  };
  const isAsBefore = ({ tensor, shape }: NativeTensor): boolean => isSameShape(shapeOf(library, tensor), shape);

  return timedRequest({
    inputs,
    infer() {
      const status: number = c.infer(request);
      if (status !== 0) check(c, "run the model", status);
    },
    async inferLater() {
      check(c, "run the model", await later(c.infer, request));
    },
    keepsOutputs: () => outputs !== undefined,
    read,
    dispose,
  });
}

function createTensor({ c }: Openvino, type: ElementType, shape: readonly number[]): NativeTensor {
  const dims = BigInt64Array.from(shape, BigInt);
  const tensor = created(c, "make a tensor", (out) => c.tensorCreate(type.openvino, { rank: shape.length, dims }, out));
  try {
    return { tensor, shape: [...shape], view: viewAt(memoryOf({ c }, tensor), type, shape) };
  } catch (error) {
    c.tensorFree(tensor);
    throw error;
  }
}

function memoryOf({ c }: Pick<Openvino, "c">, tensor: Pointer): Pointer {
  return created(c, "find a tensor's memory", (out) => c.tensorData(tensor, out));
}

/** An output in the library's own memory, whose shape is not known before the first call. */
function firstOutput({ c }: Openvino, request: Pointer, type: ElementType, index: number): Values {
  const tensor = created(c, "take an output", (out) => c.getOutput(request, index, out));
  try {
    const shape = shapeOf({ c }, tensor);
    return valuesOf({ shape, view: viewAt(memoryOf({ c }, tensor), type, shape) });
  } finally {
    c.tensorFree(tensor);
  }
}

function shapeOf({ c }: Pick<Openvino, "c">, tensor: Pointer): number[] {
  const found = created<{ rank: number | bigint; dims: Pointer }>(c, "tell an output's shape", (out) =>
    c.tensorShape(tensor, out),
  );
  const rank = Number(found.rank);
  const dims = rank === 0 ? [] : [...new BigInt64Array(foreignFunctions().view(BigInt(found.dims), rank * 8))];
  c.shapeFree(found);
  return dims.map(Number);
}

/** Calls a function of one argument in another thread. */
function later(infer: Openvino["c"]["infer"], request: Pointer): Promise<number> {
  return new Promise((resolve, reject) => {
    infer.async(request, (error: Error | null, status: number) => (error === null ? resolve(status) : reject(error)));
  });
}
