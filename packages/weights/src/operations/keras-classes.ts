/** Keras 3's classes of the operations in the table, by module. An operation's name is its class' in lower case. */
const modules = {
  "keras.src.ops.numpy":
    "Copy Cross FullLike Inner Isneginf Isposinf Outer Percentile Quantile SearchSorted Select Abs Absolute Add All ArraySplit Average Argsort Cbrt Conjugate Deg2rad Diagonal Diff Digitize Exp2 Fabs Fmod Heaviside Hstack Hypot Isclose Logaddexp Median NanToNum Nanmean Nansum Ptp Rad2deg Real Rot90 Signbit Sinc Sort TakeAlongAxis Tensordot Trace Tril Triu Trunc Vstack Amax Amin Any Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh Argmax Argmin BroadcastTo Ceil Clip Concatenate Cos Cosh CountNonzero Cumprod Cumsum Divide DivideNoNan Einsum Equal Exp ExpandDims Expm1 Flip Floor FloorDivide GetItem Greater GreaterEqual Isfinite Isinf Isnan Less LessEqual Log Log10 Log1p Log2 LogicalAnd LogicalNot LogicalOr LogicalXor Matmul Max Maximum Mean Min Minimum Mod Moveaxis Multiply Negative NotEqual OnesLike Pad Power Prod Ravel Reciprocal Repeat Reshape Roll Round Sign Sin Sinh Split Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes Take Tan Tanh Tile Transpose TrueDivide Var Where ZerosLike",
  "keras.src.ops.nn":
    "AdaptiveAveragePool AdaptiveMaxPool BatchNorm Conv DepthwiseConv DotProductAttention Glu LayerNorm Moments MultiHot RMSNorm SeparableConv AveragePool Celu DepthToSpace Elu Gelu HardShrink HardSigmoid HardSilu HardTanh LeakyRelu LogSigmoid LogSoftmax MaxPool Normalize OneHot Relu Relu6 Selu Sigmoid Silu SoftShrink Softmax Softplus Softsign SpaceToDepth SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink Threshold",
  "keras.src.ops.core": "Cast ConvertToTensor SliceUpdate StopGradient Unstack",
  "keras.src.ops.image": "GaussianBlur HSVToRGB RGBToHSV CropImages ExtractPatches PadImages RGBToGrayscale Resize",
  "keras.src.ops.math": "Erf Erfc Logsumexp Rsqrt TopK",
  "keras.src.ops.linalg": "Norm",
} as const;

/** Where Keras 3 has an operation. */
export interface KerasOperation {
  readonly module: string;
  readonly className: string;
}

/** Keras 3's class of each operation that Keras has. */
export const kerasOperations: ReadonlyMap<string, KerasOperation> = new Map(
  Object.entries(modules).flatMap(([module, names]) =>
    names.split(" ").map((className) => [className.toLowerCase(), { module, className }] as const),
  ),
);

/** The arguments that Keras takes when an operation is called; all others are options of the operation. */
const usualArguments = new Set("x x1 x2 xs inputs images condition indices operands key constant_values".split(" "));

/** The same for operations that are called with others. */
const ownArguments: Readonly<Record<string, string>> = {
  average: "x weights",
  batchnorm: "x mean variance offset scale",
  conv: "inputs kernel",
  depthwiseconv: "inputs kernel",
  digitize: "x bins",
  dotproductattention: "query key value bias mask scale",
  isclose: "x1 x2 rtol atol",
  layernorm: "x gamma beta",
  fulllike: "x fill_value",
  percentile: "x q",
  quantile: "x q",
  rmsnorm: "x scale",
  searchsorted: "sorted_sequence values",
  select: "condlist choicelist default",
  sliceupdate: "inputs start_indices updates",
  separableconv: "inputs depthwise_kernel pointwise_kernel",
};

/** Whether Keras takes an argument of an operation when it is called. */
export function isCallArgument(op: string, name: string): boolean {
  return Object.hasOwn(ownArguments, op) ? ownArguments[op]!.split(" ").includes(name) : usualArguments.has(name);
}
