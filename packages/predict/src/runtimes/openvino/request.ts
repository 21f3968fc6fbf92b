import { foreignFunctions } from "@convkit/engine/internal";
import type { Feed, Values } from "@convkit/graph";

import { check, created, type Openvino, type Pointer } from "./c-api.ts";
import type { ElementType, NumberView } from "./element-types.ts";
import { portAt } from "./ports.ts";

/** One call at a time of a compiled model, with the memory of its inputs and outputs: for one shape of each input. */
export interface InferRequest {
  /** True if a call takes less time than a thread costs. */
  isQuick(): boolean;
  /** True for inputs of the request's shapes. */
  fits(feeds: readonly Feed[]): boolean;
  runNow(feeds: readonly Feed[]): Values[];
  run(feeds: readonly Feed[]): Promise<Values[]>;
  dispose(): void;
}

/** A tensor of the library with its memory as JavaScript sees it. */
interface OwnTensor {
  readonly tensor: Pointer;
  readonly shape: readonly number[];
  readonly view: NumberView | BigInt64Array;
}

/** Calls that take less than this many milliseconds are made at once: a thread of their own would cost as much. */
const worthAThread = 0.5;

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
  const own: OwnTensor[] = [];
  const make = (type: ElementType, shape: readonly number[]): OwnTensor => {
    const made = createTensor(library, type, shape);
    own.push(made);
    return made;
  };
  const dispose = (): void => {
    c.requestFree(request);
    for (const { tensor } of own.splice(0)) c.tensorFree(tensor);
  };
  let inputs: readonly OwnTensor[];
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
  let outputs: readonly OwnTensor[] | undefined;
  let typicalMs = Infinity;

  const fill = (given: readonly Feed[]): void => {
    for (const [index, { data }] of given.entries()) {
      const { view } = inputs[index]!;
      if (view instanceof BigInt64Array) for (let i = 0; i < view.length; i++) view[i] = BigInt(data[i]!);
      else view.set(data);
    }
  };
  const took = (ms: number): void => {
    // A single slow call on a busy machine does not make a quick model a slow one.
    typicalMs = ms < typicalMs ? ms : 0.9 * typicalMs + 0.1 * ms;
  };
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
    // From now on the library writes into memory of ours, so that nothing has to be asked after a call.
    outputs = found.map(({ shape }, index) => {
      const output = make(types.outputs[index]!, shape);
      check(c, "take an output", c.setOutput(request, index, output.tensor));
      return output;
    });
    varying = types.outputs.flatMap((_, index) => (portAt(library, c.output, compiled, index).isFixed ? [] : [index]));
    return found;
  };
  const isAsBefore = ({ tensor, shape }: OwnTensor): boolean => isSameShape(shapeOf(library, tensor), shape);

  return {
    isQuick: () => typicalMs < worthAThread && outputs !== undefined,
    fits: (given) => given.every(({ shape }, index) => isSameShape(shape, inputs[index]!.shape)),
    runNow(given) {
      fill(given);
      const start = performance.now();
      const status: number = c.infer(request);
      took(performance.now() - start);
      if (status !== 0) check(c, "run the model", status);
      return read();
    },
    async run(given) {
      fill(given);
      const start = performance.now();
      const status = await later(c.infer, request);
      took(performance.now() - start);
      check(c, "run the model", status);
      return read();
    },
    dispose,
  };
}

function createTensor({ c }: Openvino, type: ElementType, shape: readonly number[]): OwnTensor {
  const dims = BigInt64Array.from(shape, BigInt);
  const tensor = created(c, "make a tensor", (out) => c.tensorCreate(type.number, { rank: shape.length, dims }, out));
  try {
    const count = shape.reduce((product, size) => product * size, 1);
    return { tensor, shape: [...shape], view: type.view(memoryOf({ c }, tensor, count * type.bytes)) };
  } catch (error) {
    c.tensorFree(tensor);
    throw error;
  }
}

function memoryOf({ c }: Pick<Openvino, "c">, tensor: Pointer, bytes: number): ArrayBuffer {
  const address = created(c, "find a tensor's memory", (out) => c.tensorData(tensor, out));
  return bytes === 0 ? new ArrayBuffer(0) : foreignFunctions().view(BigInt(address), bytes);
}

/** An output in the library's own memory, whose shape is not known before the first call. */
function firstOutput({ c }: Openvino, request: Pointer, type: ElementType, index: number): Values {
  const tensor = created(c, "take an output", (out) => c.getOutput(request, index, out));
  try {
    const shape = shapeOf({ c }, tensor);
    const count = shape.reduce((product, size) => product * size, 1);
    return valuesOf({ shape, view: type.view(memoryOf({ c }, tensor, count * type.bytes)) });
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

function valuesOf({ view, shape }: Pick<OwnTensor, "view" | "shape">): Values {
  return {
    data: view instanceof Float32Array ? view.slice() : Float32Array.from(view, Number),
    shape: [...shape],
  };
}

/** Calls a function of one argument in another thread. */
function later(infer: Openvino["c"]["infer"], request: Pointer): Promise<number> {
  return new Promise((resolve, reject) => {
    infer.async(request, (error: Error | null, status: number) => (error === null ? resolve(status) : reject(error)));
  });
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}
