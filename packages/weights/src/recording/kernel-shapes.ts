import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import { front, numbers } from "./attributes.ts";

/** The shape and type of a kernel's output. */
export interface Output {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

export type Attributes = Readonly<Record<string, unknown>>;

/** The inputs of a kernel by name. A kernel that takes a list has the names 0, 1 … */
export type KernelInputs = Readonly<Record<string, tf.TensorInfo>>;

type Outputs = (inputs: KernelInputs, attrs: Attributes) => Output | Output[];

const like = (x: tf.TensorInfo, shape: readonly number[] = x.shape): Output => ({ shape, dtype: x.dtype });

/** The one input of a kernel, whatever its name is. */
const only = (inputs: KernelInputs): tf.TensorInfo => Object.values(inputs)[0]!;

const same: Outputs = (inputs) => like(only(inputs));
const sameFloat: Outputs = (inputs) => ({ shape: only(inputs).shape, dtype: "float32" });
const boolean: Outputs = (inputs) => ({ shape: only(inputs).shape, dtype: "bool" });

const broadcast = (inputs: KernelInputs): number[] =>
  Object.values(inputs).reduce<number[]>(
    (shape, x) => (x === undefined ? shape : tf.broadcast_util.assertAndGetBroadcastShape(shape, x.shape)),
    [],
  );
const binary: Outputs = (inputs) => like(only(inputs), broadcast(inputs));
const compare: Outputs = (inputs) => ({ shape: broadcast(inputs), dtype: "bool" });

/** Reductions. tfjs names the axes `axis`, or `reductionIndices`. */
const reduce =
  (dtype?: tf.DataType): Outputs =>
  (inputs, { axis, reductionIndices, keepDims }) => {
    const x = only(inputs);
    const given = axis ?? reductionIndices;
    const axes = (given === undefined ? x.shape.map((_, i) => i) : numbers(given)).map((i) => front(i, x.shape.length));
    const shape = x.shape.flatMap((size, i) => (axes.includes(i) ? (keepDims === true ? [1] : []) : [size]));
    return { shape, dtype: dtype ?? x.dtype };
  };
const index: Outputs = (inputs, { axis }) => {
  const x = only(inputs);
  return { shape: x.shape.filter((_, i) => i !== front(axis as number, x.shape.length)), dtype: "int32" };
};

type Size4 = [number, number, number, number];
type Size5 = [number, number, number, number, number];

const conv2d =
  (depthwise: boolean): Outputs =>
  ({ x, filter }, { strides, dilations, pad, dimRoundingMode }) => {
    const info = tf.backend_util.computeConv2DInfo(
      x!.shape as Size4,
      filter!.shape as Size4,
      strides as number,
      (dilations ?? 1) as number,
      pad as "same",
      dimRoundingMode as "floor",
      depthwise,
    );
    return like(x!, info.outShape);
  };
const pool2d: Outputs = ({ x }, { filterSize, strides, pad, dimRoundingMode }) =>
  like(
    x!,
    tf.backend_util.computePool2DInfo(
      x!.shape as Size4,
      filterSize as number,
      strides as number,
      1,
      pad as "same",
      dimRoundingMode as "floor",
    ).outShape,
  );
const pool3d: Outputs = ({ x }, { filterSize, strides, pad, dimRoundingMode }) =>
  like(
    x!,
    tf.backend_util.computePool3DInfo(
      x!.shape as Size5,
      filterSize as number,
      strides as number,
      1,
      pad as "same",
      dimRoundingMode as "floor",
      "NDHWC",
    ).outShape,
  );
const product: Outputs = ({ a, b }, { transposeA, transposeB }) => {
  const rows = a!.shape.at(transposeA === true ? -1 : -2)!;
  const columns = b!.shape.at(transposeB === true ? -2 : -1)!;
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
  return like(a!, [...outer, rows, columns]);
};
const resize: Outputs = ({ images }, { size }) => {
  const [batch, , , channels] = images!.shape;
  return { shape: [batch!, ...numbers(size), channels!], dtype: "float32" };
};
const padded: Outputs = (inputs, { paddings }) => {
  const x = only(inputs);
  const pads = paddings as readonly (readonly [number, number])[];
  return like(
    x,
    x.shape.map((size, i) => size + pads[i]![0] + pads[i]![1]),
  );
};

const table = (names: string, outputs: Outputs): [string, Outputs][] => names.split(" ").map((name) => [name, outputs]);

/** The outputs of each kernel that a layer may run in prediction. */
export const kernelShapes: Readonly<Record<string, Outputs>> = {
  ...Object.fromEntries([
    ...table(
      "Abs Neg Square Relu Relu6 Round Sign Floor Ceil ClipByValue Identity Reverse ZerosLike OnesLike LRN FusedBatchNorm Cumsum Cumprod Step",
      same,
    ),
    ...table(
      "Acos Acosh Asin Asinh Atan Atanh Cos Cosh Elu Erf Exp Expm1 LeakyRelu Log Log1p LogSoftmax Prelu Reciprocal Rsqrt Selu Sigmoid Sin Sinh Softmax Softplus Sqrt Tan Tanh",
      sameFloat,
    ),
    ...table("IsFinite IsInf IsNan LogicalNot", boolean),
    ...table(
      "Add AddN Atan2 FloorDiv Maximum Minimum Mod Multiply Pow RealDiv SquaredDifference Sub BitwiseAnd",
      binary,
    ),
    ...table("Equal NotEqual Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr LogicalXor", compare),
    ...table("Max Min Prod Sum", reduce()),
    ...table("Mean", reduce("float32")),
    ...table("All Any", reduce("bool")),
    ...table("ArgMax ArgMin", index),
    ...table("Conv2D FusedConv2D", conv2d(false)),
    ...table("DepthwiseConv2dNative FusedDepthwiseConv2D", conv2d(true)),
    ...table("MaxPool AvgPool", pool2d),
    ...table("MaxPool3D AvgPool3D", pool3d),
    ...table("BatchMatMul _FusedMatMul", product),
    ...table("ResizeBilinear ResizeNearestNeighbor", resize),
    ...table("PadV2 MirrorPad", padded),
  ]),
  Cast: (inputs, { dtype }) => ({ shape: only(inputs).shape, dtype: dtype as tf.DataType }),
  Select: ({ t, e, condition }) =>
    like(
      t!,
      broadcast({
        t: t!,
        e: e!,
        ...(condition!.shape.length === 1 && t!.shape.length > 1 ? {} : { condition: condition! }),
      }),
    ),
  Fill: (_, { shape, dtype, value }) => ({
    shape: shape as number[],
    dtype: (dtype ?? tf.util.inferDtype(value as number)) as tf.DataType,
  }),
  Range: (_, { start, stop, step, dtype }) => ({
    shape: [Math.max(0, Math.ceil(((stop as number) - (start as number)) / (step as number)))],
    dtype: (dtype ?? "float32") as tf.DataType,
  }),
  Reshape: ({ x }, { shape }) =>
    like(x!, tf.util.inferFromImplicitShape(shape as number[], tf.util.sizeFromShape(x!.shape))),
  ExpandDims: ({ input }, { dim }) => {
    const shape = [...input!.shape];
    shape.splice(front(dim as number, shape.length + 1), 0, 1);
    return like(input!, shape);
  },
  Transpose: ({ x }, { perm }) =>
    like(
      x!,
      numbers(perm).map((axis) => x!.shape[axis]!),
    ),
  Concat: (inputs, { axis }) => {
    const all = Object.values(inputs);
    const at = front(axis as number, all[0]!.shape.length);
    const size = all.reduce((sum, { shape }) => sum + shape[at]!, 0);
    return like(
      all[0]!,
      all[0]!.shape.map((own, i) => (i === at ? size : own)),
    );
  },
  Pack: (inputs, { axis }) => {
    const all = Object.values(inputs);
    const shape = [...all[0]!.shape];
    shape.splice(front((axis as number | undefined) ?? 0, shape.length + 1), 0, all.length);
    return like(all[0]!, shape);
  },
  Unpack: ({ value }, { axis }) => {
    const at = front((axis as number | undefined) ?? 0, value!.shape.length);
    const shape = value!.shape.filter((_, i) => i !== at);
    return Array.from({ length: value!.shape[at]! }, () => like(value!, shape));
  },
  SplitV: ({ x }, { numOrSizeSplits, axis }) => {
    const at = front(axis as number, x!.shape.length);
    return tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits as number, at).map((size) =>
      like(
        x!,
        x!.shape.map((own, i) => (i === at ? size : own)),
      ),
    );
  },
  Slice: ({ x }, { begin, size }) => {
    const [starts, sizes] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin as number[], size as number[]);
    tf.slice_util.assertParamsValid(x as tf.Tensor, starts!, sizes!);
    return like(x!, sizes);
  },
  StridedSlice: ({ x }, attrs) => {
    const { begin, end, strides } = attrs as { begin: number[]; end: number[]; strides: number[] };
    const [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] = [
      "beginMask",
      "endMask",
      "ellipsisMask",
      "newAxisMask",
      "shrinkAxisMask",
    ].map((name) => attrs[name] as number);
    const { finalShape } = tf.slice_util.sliceInfo(
      x!.shape,
      begin,
      end,
      strides,
      beginMask!,
      endMask!,
      ellipsisMask!,
      newAxisMask!,
      shrinkAxisMask!,
    );
    return like(x!, finalShape);
  },
  Tile: ({ x }, { reps }) =>
    like(
      x!,
      x!.shape.map((size, i) => size * (reps as number[])[i]!),
    ),
  BroadcastTo: (inputs, { shape }) => like(only(inputs), shape as number[]),
  GatherV2: ({ x, indices }, { axis, batchDims }) => {
    if (((batchDims as number | undefined) ?? 0) !== 0) throw new OptionError("expected to gather without batch axes");
    const at = front((axis as number | undefined) ?? 0, x!.shape.length);
    return like(x!, [...x!.shape.slice(0, at), ...indices!.shape, ...x!.shape.slice(at + 1)]);
  },
  TopK: ({ x }, { k }) => {
    const shape = [...x!.shape.slice(0, -1), k as number];
    return [like(x!, shape), { shape, dtype: "int32" }];
  },
  OneHot: ({ indices }, { depth, dtype }) => ({
    shape: [...indices!.shape, depth as number],
    dtype: (dtype ?? "int32") as tf.DataType,
  }),
  DepthToSpace: ({ x }, { blockSize }) => {
    const [batch, height, width, channels] = x!.shape as Size4;
    const block = blockSize as number;
    return like(x!, [batch, height * block, width * block, channels / (block * block)]);
  },
  Conv2DBackpropInput: ({ dy }, { inputShape }) => like(dy!, inputShape as number[]),
  Conv3DBackpropInputV2: ({ dy }, { inputShape }) => like(dy!, inputShape as number[]),
  Conv3D: ({ x, filter }, { strides, dilations, pad }) =>
    like(
      x!,
      tf.backend_util.computeConv3DInfo(
        x!.shape as Size5,
        filter!.shape as Size5,
        strides as number,
        (dilations ?? 1) as number,
        pad as "same",
      ).outShape,
    ),
};
