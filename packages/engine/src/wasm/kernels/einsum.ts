import { backend_util, util, type TensorInfo } from "@tensorflow/tfjs-core";

import { call, type Attrs, type Context, type Inputs } from "../runtime/kernel-context.ts";

/** A sum over products by Einstein's notation: transposes, products that broadcast, and sums. */
export function einsum(inputs: Inputs, attrs: Attrs, context: Context): TensorInfo {
  const tensors = Object.values(inputs);
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(
    attrs["equation"] as string,
    tensors.length,
  );
  backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors as never);
  const { path, steps } = backend_util.getEinsumComputePath(summedDims, idDims);
  const made: TensorInfo[] = [];
  const keep = (tensor: TensorInfo): TensorInfo => {
    made.push(tensor);
    return tensor;
  };
  let rank = allDims.length;
  let out: TensorInfo | undefined;
  for (const [step, ids] of steps.entries()) {
    for (const id of ids) {
      const term = arranged(tensors[id]!, rank, idDims[id]!, context, keep);
      out = out === undefined ? term : keep(call(context, "Multiply", { a: term, b: out }));
    }
    if (step === steps.length - 1) continue;
    if (path[step]! >= 0) {
      const axis = path[step]! - (allDims.length - rank);
      out = keep(call(context, "Sum", { x: out! }, { axis, keepDims: false }));
    }
    rank -= 1;
  }
  // Keep the result in a tensor of its own; the intermediate tensors are disposed.
  const result = call(context, "Identity", { x: out! });
  for (const { dataId } of made) context.backend.disposeData(dataId);
  return result;
}

/** A term with its axes in the equation's order; missing axes have length 1. */
function arranged(
  tensor: TensorInfo,
  rank: number,
  dims: number[],
  context: Context,
  keep: (tensor: TensorInfo) => TensorInfo,
): TensorInfo {
  const { permutationIndices: perm, expandDims } = backend_util.getEinsumPermutation(rank, dims);
  const x = backend_util.isIdentityPermutation(perm)
    ? tensor
    : keep(call(context, "Transpose", { x: tensor }, { perm }));
  const shape = [...x.shape];
  for (const axis of expandDims) shape.splice(axis, 0, 1);
  if (util.arraysEqual(x.shape, shape)) return x;
  return keep(call(context, "Reshape", { x }, { shape }));
}
