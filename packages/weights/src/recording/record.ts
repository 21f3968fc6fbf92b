import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { isObject } from "../bytes/json.ts";
import type { Attributes, KernelInputs } from "./kernel-shapes.ts";
import { withShapesOnly } from "./shape-backend.ts";

/** A size that grows with the batch: `times` the number of samples. */
export interface BatchMultiple {
  readonly times: number;
}

export type Dim = number | BatchMultiple;

export type Constant = Float32Array | Int32Array | Uint8Array;

/** A tensor of a recording. */
export interface RecordedTensor {
  readonly shape: readonly Dim[];
  readonly dtype: tf.DataType;
  /** The values of a constant or weight; undefined if a run computes them. */
  readonly read?: () => Constant;
  /** The name of a weight. */
  readonly name?: string;
}

/** One run of a tfjs kernel. Numbers among its attributes that grow with the batch are `BatchMultiple`s. */
export interface KernelCall {
  readonly kernel: string;
  /** The inputs by name. A kernel that takes a list has the names 0, 1 … */
  readonly inputs: Readonly<Record<string, RecordedTensor>>;
  readonly attrs: Attributes;
  readonly outputs: readonly RecordedTensor[];
}

/** The kernels that a function runs, in order, at any batch size. */
export interface Recording {
  readonly inputs: readonly RecordedTensor[];
  readonly outputs: readonly RecordedTensor[];
  readonly calls: readonly KernelCall[];
}

export interface RecordedInput {
  readonly shape: readonly (number | null)[];
  readonly dtype: tf.DataType;
}

export function isMultiple(value: unknown): value is BatchMultiple {
  return isObject(value) && typeof value["times"] === "number";
}

/** Two numbers of samples that no other size is likely to be a multiple of. */
const trials = [7, 11] as const;

/**
 * Records the kernels of a function of tfjs, without computing anything. The first size of each input is the batch, and
 * the recording holds for every batch: the function is recorded at two, and numbers that differ must be multiples of
 * the batch. Throws an `OptionError` for a size that is not known, a kernel that is not known, a function that reads
 * values, and a number that depends on the batch in another way.
 */
export function record(fn: (inputs: tf.Tensor[]) => tf.Tensor[], inputs: readonly RecordedInput[]): Recording {
  const [first, second] = trials.map((batch) => recordOnce(fn, inputs, batch)) as [Trial, Trial];
  return merged(first, second);
}

interface TrialTensor {
  readonly info: tf.TensorInfo;
  readonly read?: () => Constant;
}

interface TrialCall {
  readonly kernel: string;
  readonly inputs: readonly (readonly [name: string, tensor: TrialTensor])[];
  readonly attrs: Attributes;
  readonly outputs: readonly TrialTensor[];
}

interface Trial {
  readonly inputs: readonly TrialTensor[];
  readonly outputs: readonly TrialTensor[];
  readonly calls: readonly TrialCall[];
}

function recordOnce(fn: (inputs: tf.Tensor[]) => tf.Tensor[], inputs: readonly RecordedInput[], batch: number): Trial {
  const calls: TrialCall[] = [];
  const known = new Map<object, TrialTensor>();
  const tensorOf = (info: tf.TensorInfo): TrialTensor => {
    const found = known.get(info.dataId);
    if (found !== undefined) return { ...found, info };
    // The values of constants are copied now: the data of tensors ends with the trial. Weights are read when needed.
    const isWeight = info instanceof tf.Variable;
    const values = isWeight ? undefined : ((info as tf.Tensor).dataSync() as Constant);
    const read = (): Constant => values ?? ((info as tf.Tensor).dataSync() as Constant);
    return { info, read };
  };
  const onKernel = (kernel: string, given: KernelInputs, attrs: Attributes, outputs: tf.TensorInfo[]): void => {
    const named = Object.entries(given).filter(([, input]) => input != null);
    const taken = named.map(([name, input]) => [name, tensorOf(input)] as const);
    const made = outputs.map((info): TrialTensor => ({ info }));
    for (const tensor of made) known.set(tensor.info.dataId, tensor);
    calls.push({ kernel, inputs: taken, attrs: { ...attrs }, outputs: made });
  };
  return withShapesOnly(() => {
    const given = inputs.map(({ shape, dtype }) => {
      const sizes = [batch, ...shape.slice(1)];
      if (sizes.includes(null))
        throw new OptionError(`expected inputs of known sizes, got [${shape.map((size) => size ?? "any").join(", ")}]`);
      const dataId = {};
      known.set(dataId, { info: { dataId, shape: sizes as number[], dtype } });
      return tf.engine().makeTensorFromDataId(dataId, sizes as number[], dtype);
    });
    const starts = given.map((tensor) => known.get(tensor.dataId)!);
    const results = run(fn, given);
    return { inputs: starts, outputs: results.map(tensorOf), calls };
  }, onKernel);
}

/** Runs the function. Errors of tfjs (an unknown kernel, sizes that do not fit) become errors of this package. */
function run(fn: (inputs: tf.Tensor[]) => tf.Tensor[], inputs: tf.Tensor[]): tf.Tensor[] {
  try {
    return fn(inputs);
  } catch (error) {
    if (error instanceof OptionError) throw error;
    const { message } = error as Error;
    const kernel = /Kernel '(\w+)' not registered/.exec(message)?.[1];
    throw new OptionError(kernel === undefined ? message : `the operation ${kernel} is not known`, { cause: error });
  }
}

/** Joins two trials of one function into a recording for every batch. */
function merged(a: Trial, b: Trial): Recording {
  if (a.calls.length !== b.calls.length || a.calls.some(({ kernel }, i) => kernel !== b.calls[i]!.kernel))
    throw new OptionError("expected the same operations at every batch size");
  const tensors = new Map<object, RecordedTensor>();
  const join = (x: TrialTensor, y: TrialTensor): RecordedTensor => {
    const found = tensors.get(x.info.dataId);
    const shape = x.info.shape.map((size, axis) => joinedNumber(size, y.info.shape[axis] ?? NaN));
    // A weight that two kernels read is one tensor.
    if (found !== undefined && String(found.shape.map(shownDim)) === String(shape.map(shownDim))) return found;
    const values = x.read === undefined ? {} : { read: joinedValues(x, y, shape) };
    const name = x.info instanceof tf.Variable ? { name: x.info.name } : {};
    const tensor: RecordedTensor = { shape, dtype: x.info.dtype, ...values, ...name };
    tensors.set(x.info.dataId, tensor);
    return tensor;
  };
  const inputs = a.inputs.map((x, i) => join(x, b.inputs[i]!));
  const calls = a.calls.map((call, index): KernelCall => {
    const twin = b.calls[index]!;
    return {
      kernel: call.kernel,
      inputs: Object.fromEntries(call.inputs.map(([name, x], i) => [name, join(x, twin.inputs[i]![1])])),
      attrs: joined(call.attrs, twin.attrs) as Attributes,
      outputs: call.outputs.map((x, i) => join(x, twin.outputs[i]!)),
    };
  });
  return { inputs, calls, outputs: a.outputs.map((x, i) => join(x, b.outputs[i]!)) };
}

const shownDim = (dim: Dim): string => (typeof dim === "number" ? String(dim) : `${dim.times}n`);

function joinedNumber(a: number, b: number): Dim {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return a;
  const times = a / trials[0];
  if (Number.isInteger(times) && times * trials[1] === b) return { times };
  throw new OptionError(
    `expected numbers that are multiples of the batch, got ${a} for ${trials[0]} samples and ${b} for ${trials[1]}`,
  );
}

function joined(a: unknown, b: unknown): unknown {
  if (typeof a === "number" && typeof b === "number") return joinedNumber(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return a.map((part, i) => joined(part, b[i]));
  if (!isObject(a) || !isObject(b)) return a;
  return Object.fromEntries(Object.entries(a).map(([key, part]) => [key, joined(part, b[key])]));
}

/** The values of a constant. If its shape grows with the batch, all values must be equal: one value is returned. */
function joinedValues(x: TrialTensor, y: TrialTensor, shape: readonly Dim[]): () => Constant {
  if (x.info instanceof tf.Variable) return x.read!;
  const [own, other] = [x.read!(), y.read!()];
  if (shape.some(isMultiple)) {
    const value = own[0]!;
    if ([own, other].some((values) => values.some((each) => each !== value)))
      throw new OptionError("expected constants that do not depend on the batch size");
    return () => own.slice(0, 1);
  }
  if (own.some((value, i) => !Object.is(value, other[i])))
    throw new OptionError("expected constants that do not depend on the batch size");
  return () => own;
}
