import { foreignFunctions } from "@convkit/engine/internal";
import type { Feed, Values } from "@convkit/graph";

import { check, created, type Openvino, type Pointer } from "./c-api.ts";

/** A type of values: OpenVINO's number for it, and how JavaScript sees its memory. */
export interface ElementType {
  readonly name: string;
  readonly number: number;
  readonly view: (memory: ArrayBuffer) => NumberView | BigInt64Array;
  readonly bytes: number;
}

type NumberView = Float32Array | Float64Array | Int32Array | Uint8Array;

/** The types that predictions take, by the numbers of `ov_element_type_e`. */
export const elementTypes: readonly ElementType[] = [
  { name: "float32", number: 4, bytes: 4, view: (memory) => new Float32Array(memory) },
  { name: "float64", number: 5, bytes: 8, view: (memory) => new Float64Array(memory) },
  { name: "int32", number: 9, bytes: 4, view: (memory) => new Int32Array(memory) },
  { name: "int64", number: 10, bytes: 8, view: (memory) => new BigInt64Array(memory) },
  { name: "uint8", number: 16, bytes: 1, view: (memory) => new Uint8Array(memory) },
  { name: "bool", number: 1, bytes: 1, view: (memory) => new Uint8Array(memory) },
];

/** One call at a time of a compiled model, with the memory of its inputs. */
export interface InferRequest {
  run(feeds: readonly Feed[]): Promise<Values[]>;
  dispose(): void;
}

interface InputTensor {
  readonly tensor: Pointer;
  readonly shape: readonly number[];
  readonly view: NumberView | BigInt64Array;
}

/** Calls that take less than this many milliseconds are made at once: a thread of their own would cost as much. */
const worthAThread = 0.5;

/** Makes a request. It keeps its input tensors as long as the shapes stay the same. */
export function createRequest(
  { c }: Openvino,
  compiled: Pointer,
  types: { readonly inputs: readonly ElementType[]; readonly outputs: readonly ElementType[] },
): InferRequest {
  const request = created(c, "create a request", (out) => c.createRequest(compiled, out));
  const inputs: (InputTensor | undefined)[] = types.inputs.map(() => undefined);
  let lastMs = Infinity;

  function inputFor(index: number, shape: readonly number[]): InputTensor {
    const held = inputs[index];
    if (held !== undefined && sameShape(held.shape, shape)) return held;
    const type = types.inputs[index]!;
    const dims = BigInt64Array.from(shape, BigInt);
    const tensor = created(c, "make an input", (out) => c.tensorCreate(type.number, { rank: shape.length, dims }, out));
    let view: InputTensor["view"];
    try {
      const count = shape.reduce((product, size) => product * size, 1);
      view = type.view(memoryOf(tensor, count * type.bytes));
      check(c, "take an input", c.setInput(request, index, tensor));
    } catch (error) {
      c.tensorFree(tensor);
      throw error;
    }
    if (held !== undefined) c.tensorFree(held.tensor);
    lastMs = Infinity;
    return (inputs[index] = { tensor, shape: [...shape], view });
  }

  function memoryOf(tensor: Pointer, bytes: number): ArrayBuffer {
    const address = created(c, "find a tensor's memory", (out) => c.tensorData(tensor, out));
    return bytes === 0 ? new ArrayBuffer(0) : foreignFunctions().view(BigInt(address), bytes);
  }

  function outputOf(index: number): Values {
    const tensor = created(c, "take an output", (out) => c.getOutput(request, index, out));
    try {
      const found = created<{ rank: number | bigint; dims: Pointer }>(c, "tell an output's shape", (out) =>
        c.tensorShape(tensor, out),
      );
      const rank = Number(found.rank);
      const dims = rank === 0 ? [] : [...new BigInt64Array(foreignFunctions().view(BigInt(found.dims), rank * 8))];
      c.shapeFree(found);
      const shape = dims.map(Number);
      const type = types.outputs[index]!;
      const count = shape.reduce((product, size) => product * size, 1);
      const values = type.view(memoryOf(tensor, count * type.bytes));
      return { data: values instanceof Float32Array ? values.slice() : Float32Array.from(values, Number), shape };
    } finally {
      c.tensorFree(tensor);
    }
  }

  return {
    async run(feeds) {
      for (const [index, { data, shape }] of feeds.entries()) {
        const { view } = inputFor(index, shape);
        if (view instanceof BigInt64Array) for (let i = 0; i < view.length; i++) view[i] = BigInt(data[i]!);
        else view.set(data);
      }
      const start = performance.now();
      const status = lastMs < worthAThread ? c.infer(request) : await later(c.infer, request);
      lastMs = performance.now() - start;
      check(c, "run the model", status);
      return types.outputs.map((_, index) => outputOf(index));
    },
    dispose() {
      c.requestFree(request);
      for (const input of inputs) if (input !== undefined) c.tensorFree(input.tensor);
    },
  };
}

/** Calls a function of one argument in another thread. */
function later(infer: Openvino["c"]["infer"], request: Pointer): Promise<number> {
  return new Promise((resolve, reject) => {
    infer.async(request, (error: Error | null, status: number) => (error === null ? resolve(status) : reject(error)));
  });
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
