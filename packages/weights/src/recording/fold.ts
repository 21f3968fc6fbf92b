import * as tf from "@tensorflow/tfjs-core";
import { isMultiple } from "./record.ts";
import type { Constant, KernelCall, RecordedTensor, Recording } from "./record.ts";

/** A constant of more elements is computed in each run if it is larger than what it is made from. */
const smallest = 4096;

/**
 * Computes what depends on weights and constants alone, on the engine in use, and leaves the rest. A constant that is
 * larger than its inputs stays an operation, so that files do not grow.
 */
export function foldConstants({ inputs, outputs, calls }: Recording): Recording {
  const folded = new Map<RecordedTensor, RecordedTensor>();
  const current = (tensor: RecordedTensor): RecordedTensor => folded.get(tensor) ?? tensor;
  const rest: KernelCall[] = [];
  for (const call of calls) {
    const taken = Object.fromEntries(Object.entries(call.inputs).map(([name, input]) => [name, current(input)]));
    const own = { ...call, inputs: taken };
    if (isFoldable(own))
      for (const [index, values] of computed(own).entries()) folded.set(call.outputs[index]!, values);
    else rest.push(own);
  }
  return { inputs, calls: rest, outputs: outputs.map(current) };
}

function isFoldable({ inputs, outputs, attrs }: KernelCall): boolean {
  const given = Object.values(inputs);
  const isFixed = (tensor: RecordedTensor): boolean => !tensor.shape.some(isMultiple);
  if (given.length === 0 || !given.every((tensor) => tensor.read !== undefined && isFixed(tensor))) return false;
  if (!outputs.every(isFixed) || JSON.stringify(attrs).includes('"times"')) return false;
  const size = (tensors: readonly RecordedTensor[]): number =>
    tensors.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]), 0);
  return size(outputs) <= Math.max(size(given), smallest);
}

function computed({ kernel, inputs, attrs, outputs }: KernelCall): RecordedTensor[] {
  const values: Constant[] = [];
  // `tidy` searches its result for tensors, element by element: a minute for the weights of a VGG.
  tf.tidy(() => {
    const named = Object.entries(inputs).map(([name, { read, shape, dtype }]) => {
      const tensor = tf.tensor(read!() as Float32Array, shape as number[], dtype as "float32");
      return [name, tensor] as const;
    });
    const isList = named.every(([name], index) => name === String(index));
    const given = isList ? named.map(([, tensor]) => tensor) : Object.fromEntries(named);
    const results = tf.engine().runKernel(kernel, given as never, attrs as never) as tf.Tensor | tf.Tensor[];
    for (const tensor of [results].flat()) values.push(tensor.dataSync() as Constant);
  });
  return outputs.map(({ shape, dtype }, index) => ({ shape, dtype, read: () => values[index]! }));
}
