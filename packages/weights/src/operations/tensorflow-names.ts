/** Maps a TensorFlow function to ours: the name, the names of its arguments, and their defaults. */
interface Alias {
  readonly to: string;
  /** Maps TensorFlow's argument names to ours. The first argument needs no entry. */
  readonly names?: Readonly<Record<string, string>>;
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Arguments of TensorFlow that must have one of these values, with which they change nothing. */
  readonly only?: Readonly<Record<string, readonly unknown[]>>;
  /** Values of arguments of TensorFlow with which they change nothing, so that they are left out. */
  readonly plain?: Readonly<Record<string, unknown>>;
}

const channelsLast = { data_format: ["NHWC", "NWC", "NDHWC"] };
const unused = { only: { ...channelsLast, use_cudnn_on_gpu: [true, false] } };
const alignment = { align: ["RIGHT_LEFT"], padding_value: [0] };
const pool = (kind: "avg" | "max"): Alias => ({ to: "pool2d", names: { ksize: "pool_size" }, defaults: { kind } });
const image = (to: string, defaults: Alias["defaults"] = {}): Alias => ({ to, defaults });

const sides = { y: "x2", b: "x2" };
const reduce = (to: string): Alias => ({ to, names: { keep_dims: "keepdims", reduction_indices: "axis" } });
const binary = (to: string): Alias => ({ to, names: sides });

/** Modules of TensorFlow whose functions have names of their own below; those of the others all have different names. */
const apart = /(^|\.)(image|signal|random|strings|sets|sparse|ragged|audio|activations)\.(\w+)$/;

/** The linear algebra that also stands outside of its module, or that means the same for matrices there. */
const plainAlgebra = new Set(["matmul", "norm", "einsum", "tensordot", "matrix_transpose", "l2_normalize"]);

/** The key in `tensorflowNames`, or in the table of operations, of a function as Keras 2 writes it: `math.add`. */
export function tensorflowKey(written: string): string {
  const own = apart.exec(written);
  if (own !== null) return `${own[2]}.${own[3]}`;
  const name = written.split(".").at(-1)!;
  return /(^|\.)linalg\.\w+$/.test(written) && !plainAlgebra.has(name) ? `linalg.${name}` : name;
}

/**
 * Functions of TensorFlow by their key, as Keras 2 writes them; listed only if name or arguments
 * differ from Keras 3's.
 */
export const tensorflowNames: Readonly<Record<string, Alias>> = {
  add: binary("add"),
  addv2: binary("add"),
  bias_add: { to: "add", names: { bias: "x2" }, only: channelsLast },
  subtract: binary("subtract"),
  sub: binary("subtract"),
  multiply: binary("multiply"),
  mul: binary("multiply"),
  truediv: binary("truedivide"),
  divide: binary("truedivide"),
  realdiv: binary("truedivide"),
  divide_no_nan: binary("dividenonan"),
  floordiv: binary("floordivide"),
  floor_div: binary("floordivide"),
  floormod: binary("mod"),
  mod: binary("mod"),
  pow: binary("power"),
  maximum: binary("maximum"),
  minimum: binary("minimum"),
  squared_difference: binary("squareddifference"),
  greater: binary("greater"),
  greater_equal: binary("greaterequal"),
  less: binary("less"),
  less_equal: binary("lessequal"),
  equal: binary("equal"),
  not_equal: binary("notequal"),
  logical_and: binary("logicaland"),
  logical_or: binary("logicalor"),
  where: { to: "where", names: { x: "x1", y: "x2" } },
  reduce_mean: reduce("mean"),
  reduce_sum: reduce("sum"),
  reduce_max: reduce("max"),
  reduce_min: reduce("min"),
  reduce_prod: reduce("prod"),
  reduce_all: reduce("all"),
  reduce_any: reduce("any"),
  reduce_logsumexp: reduce("logsumexp"),
  reduce_std: reduce("std"),
  reduce_variance: reduce("var"),
  argmax: { to: "argmax", names: { output_type: "ignored" }, defaults: { axis: 0 } },
  argmin: { to: "argmin", names: { output_type: "ignored" }, defaults: { axis: 0 } },
  neg: { to: "negative" },
  asin: { to: "arcsin" },
  acos: { to: "arccos" },
  atan: { to: "arctan" },
  asinh: { to: "arcsinh" },
  acosh: { to: "arccosh" },
  atanh: { to: "arctanh" },
  atan2: { to: "arctan2", names: { x: "x2" } },
  xlogy: { to: "xlogy", names: { y: "x2" } },
  multiply_no_nan: { to: "multiplynonan", names: { y: "x2" } },
  add_n: { to: "addn" },
  ensure_shape: { to: "identity", names: { shape: "ignored" } },
  clip_by_norm: { to: "clipbynorm" },
  gelu: { to: "gelu", defaults: { approximate: false } },
  swish: { to: "silu" },
  leaky_relu: { to: "leakyrelu", names: { alpha: "negative_slope" } },
  softmax: { to: "softmax", defaults: { axis: -1 } },
  log_softmax: { to: "logsoftmax", defaults: { axis: -1 } },
  clip_by_value: { to: "clip", names: { clip_value_min: "x_min", clip_value_max: "x_max" } },
  concat: { to: "concatenate" },
  stack: { to: "stack" },
  reshape: { to: "reshape", names: { shape: "newshape" } },
  transpose: { to: "transpose", names: { perm: "axes", conjugate: "ignored" } },
  split: { to: "splitsizes", names: { num_or_size_splits: "sizes", num: "ignored" } },
  tile: { to: "tile", names: { multiples: "repeats" } },
  pad: { to: "pad", names: { paddings: "pad_width" } },
  slice: { to: "slice", names: { begin: "start" } },
  gather: { to: "take", defaults: { axis: 0 }, names: { validate_indices: "ignored" }, plain: { batch_dims: 0 } },
  strided_slice: { to: "stridedslice", names: { var: "ignored" } },
  reverse: { to: "flip" },
  broadcast_to: { to: "broadcastto" },
  one_hot: { to: "onehot", names: { depth: "num_classes" } },
  cumsum: { to: "cumsum", defaults: { axis: 0 } },
  cumprod: { to: "cumprod", defaults: { axis: 0 } },
  argsort: { to: "argsort", names: { stable: "ignored" } },
  tensordot: { to: "tensordot", names: { b: "x2" } },
  getitem: { to: "getitem", names: { slice_spec: "key" } },
  matmul: {
    to: "matmul",
    names: { b: "x2" },
    only: { adjoint_a: [false], adjoint_b: [false], a_is_sparse: [false], b_is_sparse: [false] },
  },
  einsum: { to: "einsum" },
  avg_pool: pool("avg"),
  avg_pool2d: pool("avg"),
  avg_pool3d: pool("avg"),
  max_pool: pool("max"),
  max_pool2d: pool("max"),
  max_pool3d: pool("max"),
  pool: {
    to: "pool2d",
    names: { window_shape: "pool_size", pooling_type: "kind" },
    defaults: { strides: 1 },
    only: { dilation_rate: [1], dilations: [1] },
  },
  conv1d: { to: "conv", names: { filters: "kernel", stride: "strides", dilations: "dilation_rate" }, ...unused },
  conv2d: {
    to: "conv",
    names: { filter: "kernel", filters: "kernel", dilations: "dilation_rate" },
    ...unused,
  },
  convolution: {
    to: "conv",
    names: { filter: "kernel", filters: "kernel", dilations: "dilation_rate" },
    ...unused,
  },
  depthwise_conv2d: {
    to: "depthwiseconv",
    names: { filter: "kernel", rate: "dilation_rate", dilations: "dilation_rate" },
    ...unused,
  },
  separable_conv2d: {
    to: "separableconv",
    names: {
      depthwise_filter: "depthwise_kernel",
      pointwise_filter: "pointwise_kernel",
      rate: "dilation_rate",
      dilations: "dilation_rate",
    },
    ...unused,
  },
  conv2d_transpose: {
    to: "sizedtransposedconv",
    names: { filters: "kernel" },
    only: { ...channelsLast, dilations: [1] },
  },
  space_to_batch_nd: { to: "spacetobatch" },
  batch_to_space_nd: { to: "batchtospace" },
  batch_to_space: { to: "batchtospace" },
  space_to_batch: { to: "spacetobatch" },
  local_response_normalization: { to: "localresponsenormalization" },
  lrn: { to: "localresponsenormalization" },
  crelu: { to: "crelu" },
  batch_flatten: { to: "batchflatten" },
  "image.resize": {
    to: "resize",
    names: { method: "interpolation" },
    only: { preserve_aspect_ratio: [false] },
  },
  "image.resize_images_v2": {
    to: "resize",
    names: { method: "interpolation" },
    only: { preserve_aspect_ratio: [false] },
  },
  "image.rgb_to_grayscale": { to: "rgbtograyscale" },
  "image.grayscale_to_rgb": { to: "repeat", defaults: { repeats: 3, axis: 3 } },
  "image.flip_left_right": image("flip", { axis: 2 }),
  "image.flip_up_down": image("flip", { axis: 1 }),
  "image.transpose": image("transpose", { axes: [0, 2, 1, 3] }),
  "image.rot90": image("rot90", { axes: [1, 2] }),
  "image.central_crop": { to: "centralcrop" },
  "image.pad_to_bounding_box": {
    to: "padimages",
    names: { offset_height: "top_padding", offset_width: "left_padding" },
  },
  "image.crop_to_bounding_box": {
    to: "cropimages",
    names: { offset_height: "top_cropping", offset_width: "left_cropping" },
  },
  "image.resize_with_crop_or_pad": { to: "croporpad" },
  "image.resize_with_pad": { to: "resizewithpad", names: { method: "interpolation" } },
  "image.per_image_standardization": { to: "standardized" },
  "image.adjust_contrast": { to: "contrast" },
  "image.adjust_brightness": { to: "add", names: { delta: "x2" } },
  "image.adjust_gamma": { to: "gamma" },
  "image.rgb_to_hsv": { to: "rgbtohsv" },
  "image.hsv_to_rgb": { to: "hsvtorgb" },
  "image.rgb_to_yuv": { to: "rgbtoyuv" },
  "image.extract_patches": { to: "extractpatches", names: { sizes: "size", rates: "dilation_rate" } },
  depth_to_space: { to: "depthtospace" },
  space_to_depth: { to: "spacetodepth" },
  l2_normalize: { to: "l2normalize", names: { dim: "axis" } },
  convert_to_tensor: { to: "identity", names: { dtype: "ignored", dtype_hint: "ignored" } },
  matrix_transpose: { to: "swapaxes", names: { conjugate: "ignored" }, defaults: { axis1: -2, axis2: -1 } },
  "linalg.trace": { to: "trace", defaults: { axis1: -2, axis2: -1 } },
  "linalg.diag_part": { to: "diagonal", defaults: { axis1: -2, axis2: -1 }, names: { k: "offset" }, only: alignment },
  "linalg.band_part": { to: "bandpart" },
  fake_quant_with_min_max_args: { to: "fakequantize", names: { min: "low", max: "high" } },
  fake_quant_with_min_max_vars: { to: "fakequantize", names: { min: "low", max: "high" } },
};
