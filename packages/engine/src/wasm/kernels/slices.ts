import { backend_util, slice_util, util, type Tensor, type TensorInfo } from "@tensorflow/tfjs-core";

import { address, call, input, output, sizeOf, type Context, type Kernel } from "../runtime/kernel-context.ts";
import { memoryBound } from "./elementwise.ts";

/** Joins tensors along an axis, run by run. */
export function concat(stock: Kernel): Kernel {
  return (inputs, attrs, context) => {
    const all = Object.values(inputs);
    const parts = all.filter((tensor) => sizeOf(tensor.shape) > 0);
    const [first] = parts;
    if (first === undefined || parts.some(({ dtype }) => !isWord(dtype))) return stock(inputs, attrs, context);
    const [axis] = util.parseAxisParam(attrs["axis"] as number, first.shape) as [number];
    const shapes = all.map(({ shape }) => shape);
    backend_util.assertParamsConsistent(shapes, axis);
    const out = output(context, backend_util.computeOutShape(shapes, axis), first.dtype);
    let offset = 0;
    for (const part of parts) {
      const bytes = 4 * sizeOf(part.shape.slice(axis));
      const step = 4 * sizeOf(out.shape.slice(axis));
      copyRuns(context, {
        from: address(context, part),
        to: address(context, out) + offset,
        rows: sizeOf(out.shape.slice(0, axis)),
        bytes,
        fromStep: bytes,
        toStep: step,
      });
      offset += bytes;
    }
    return out;
  };
}

/** Cuts a box out of a tensor. Our kernel handles cuts along one axis, the usual case; `stock` does the rest. */
export function slice(stock: Kernel): Kernel {
  return (inputs, attrs, context) => {
    const x = input(inputs, "x");
    const begins = attrs["begin"] as number[];
    const [begin, size] = slice_util.parseSliceParams(x as Tensor, begins, attrs["size"] as number[]) as [
      number[],
      number[],
    ];
    slice_util.assertParamsValid(x as Tensor, begin, size);
    const cut = x.shape.flatMap((length, axis) => (size[axis] === length ? [] : [axis]));
    if (!isWord(x.dtype) || cut.length !== 1 || sizeOf(size) === 0) return stock(inputs, attrs, context);
    return cutAxis(context, x, cut[0]!, begin[cut[0]!]!, size[cut[0]!]!);
  };
}

const sliceMasks = ["beginMask", "endMask", "ellipsisMask", "newAxisMask", "shrinkAxisMask"] as const;

/**
 * Cuts a box out of a tensor, in steps. `stock` takes steps with no axes left out, and makes floats: axes are left out and
 * added by the shape of its result, which gets its own type. Whole axes and plain boxes are its own affair.
 */
export function stridedSlice(stock: Kernel): Kernel {
  return (inputs, attrs, context) => {
    const x = input(inputs, "x");
    const [begin, end, strides] = ["begin", "end", "strides"].map((name) => attrs[name]) as [
      number[],
      number[],
      number[],
    ];
    const masks = sliceMasks.map((name) => attrs[name] as number) as [number, number, number, number, number];
    const info = slice_util.sliceInfo(x.shape, begin, end, strides, ...masks);
    if (info.isIdentity || info.sliceDim0 || info.isSimpleSlice) return stock(inputs, attrs, context);
    if (x.dtype === "bool") {
      const words = call(context, "Cast", { x }, { dtype: "int32" });
      const cut = stridedSlice(stock)({ x: words }, attrs, context);
      const y = call(context, "Cast", { x: cut }, { dtype: "bool" });
      for (const { dataId } of [words, cut]) context.backend.disposeData(dataId as object);
      return y;
    }
    // An end before the first element is not a place counted from the back.
    const open = info.end.reduce((bits, place, axis) => (place < 0 ? bits | (1 << axis) : bits), 0);
    const none = { beginMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
    const bounds = { begin: info.begin, end: info.end, strides: info.strides, endMask: open };
    const cut = stock({ x }, { ...none, ...bounds }, context);
    if (x.dtype === cut.dtype) return { ...cut, shape: info.finalShape };
    const y = output(context, info.finalShape, x.dtype);
    const bytes = 4 * sizeOf(y.shape);
    const places = { from: address(context, cut), to: address(context, y) };
    if (bytes > 0) copyRuns(context, { ...places, rows: 1, bytes, fromStep: bytes, toStep: bytes });
    context.backend.disposeData(cut.dataId as object);
    return y;
  };
}

/** Cuts a tensor into pieces along an axis. */
export function splitV(stock: Kernel<TensorInfo[]>): Kernel<TensorInfo[]> {
  return (inputs, attrs, context) => {
    const x = input(inputs, "x");
    if (!isWord(x.dtype) || sizeOf(x.shape) === 0) return stock(inputs, attrs, context);
    const [axis] = util.parseAxisParam(attrs["axis"] as number, x.shape) as [number];
    let begin = 0;
    return backend_util.prepareSplitSize(x as Tensor, attrs["numOrSizeSplits"] as number[], axis).map((length) => {
      const piece = cutAxis(context, x, axis, begin, length);
      begin += length;
      return piece;
    });
  };
}

function cutAxis(context: Context, x: TensorInfo, axis: number, begin: number, length: number): TensorInfo {
  const inner = 4 * sizeOf(x.shape.slice(axis + 1));
  const shape = x.shape.with(axis, length);
  const out = output(context, shape, x.dtype);
  if (sizeOf(shape) === 0) return out;
  copyRuns(context, {
    from: address(context, x) + begin * inner,
    to: address(context, out),
    rows: sizeOf(x.shape.slice(0, axis)),
    bytes: length * inner,
    fromStep: x.shape[axis]! * inner,
    toStep: length * inner,
  });
  return out;
}

function isWord(dtype: string): boolean {
  return dtype === "float32" || dtype === "int32";
}

interface Runs {
  from: number;
  to: number;
  rows: number;
  bytes: number;
  fromStep: number;
  toStep: number;
}

function copyRuns({ runtime }: Context, { from, to, rows, bytes, fromStep, toStep }: Runs): void {
  runtime.run("copy", [from, to, rows, bytes, fromStep, toStep], "copyUnits", ((rows * bytes) / 4) * memoryBound);
}
