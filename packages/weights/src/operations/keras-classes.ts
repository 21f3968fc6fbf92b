/** Keras 3's classes of the operations in the table, by module. An operation's name is its class' in lower case. */
const modules = {
  "keras.src.ops.numpy":
    "Abs Absolute Add All Amax Amin Any Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh Argmax Argmin BroadcastTo Ceil Clip Concatenate Cos Cosh CountNonzero Cumprod Cumsum Divide DivideNoNan Einsum Equal Exp ExpandDims Expm1 Flip Floor FloorDivide GetItem Greater GreaterEqual Isfinite Isinf Isnan Less LessEqual Log Log10 Log1p Log2 LogicalAnd LogicalNot LogicalOr LogicalXor Matmul Max Maximum Mean Min Minimum Mod Moveaxis Multiply Negative NotEqual OnesLike Pad Power Prod Ravel Reciprocal Repeat Reshape Roll Round Sign Sin Sinh Split Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes Take Tan Tanh Tile Transpose TrueDivide Var Where ZerosLike",
  "keras.src.ops.nn":
    "AveragePool Celu DepthToSpace Elu Gelu HardShrink HardSigmoid HardSilu HardTanh LeakyRelu LogSigmoid LogSoftmax MaxPool Normalize OneHot Relu Relu6 Selu Sigmoid Silu SoftShrink Softmax Softplus Softsign SpaceToDepth SparsePlus SparseSigmoid Squareplus TanhShrink Threshold",
  "keras.src.ops.core": "Cast StopGradient Unstack",
  "keras.src.ops.image": "RGBToGrayscale Resize",
  "keras.src.ops.math": "Erf Logsumexp Rsqrt",
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
export const callArguments: ReadonlySet<string> = new Set(
  "x x1 x2 xs inputs images condition indices operands key constant_values".split(" "),
);
