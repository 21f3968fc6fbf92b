/** Maps a TensorFlow function to ours: the name, the names of its arguments, and their defaults. */
interface Alias {
  readonly to: string;
  /** Maps TensorFlow's argument names to ours. The first argument needs no entry. */
  readonly names?: Readonly<Record<string, string>>;
  readonly defaults?: Readonly<Record<string, unknown>>;
}

const sides = { y: "x2", b: "x2" };
const reduce = (to: string): Alias => ({ to, names: { keep_dims: "keepdims", reduction_indices: "axis" } });
const binary = (to: string): Alias => ({ to, names: sides });

/**
 * Functions of TensorFlow by the last part of their name, as Keras 2 writes them; listed only if name or arguments
 * differ from Keras 3's.
 */
export const tensorflowNames: Readonly<Record<string, Alias>> = {
  add: binary("add"),
  addv2: binary("add"),
  bias_add: { to: "add", names: { bias: "x2", data_format: "ignored" } },
  subtract: binary("subtract"),
  sub: binary("subtract"),
  multiply: binary("multiply"),
  mul: binary("multiply"),
  truediv: binary("truedivide"),
  divide: binary("truedivide"),
  realdiv: binary("truedivide"),
  divide_no_nan: binary("dividenonan"),
  floordiv: binary("floordivide"),
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
  gather: { to: "take", names: { batch_dims: "ignored" }, defaults: { axis: 0 } },
  reverse: { to: "flip" },
  broadcast_to: { to: "broadcastto" },
  one_hot: { to: "onehot", names: { depth: "num_classes" } },
  getitem: { to: "getitem", names: { slice_spec: "key" } },
  matmul: { to: "matmul", names: { b: "x2" } },
  einsum: { to: "einsum" },
  avg_pool: { to: "pool2d", names: { ksize: "pool_size" }, defaults: { kind: "avg" } },
  avg_pool2d: { to: "pool2d", names: { ksize: "pool_size" }, defaults: { kind: "avg" } },
  max_pool: { to: "pool2d", names: { ksize: "pool_size" }, defaults: { kind: "max" } },
  max_pool2d: { to: "pool2d", names: { ksize: "pool_size" }, defaults: { kind: "max" } },
  resize: { to: "resize", names: { method: "interpolation", preserve_aspect_ratio: "ignored" } },
  resize_images_v2: { to: "resize", names: { method: "interpolation", preserve_aspect_ratio: "ignored" } },
  rgb_to_grayscale: { to: "rgbtograyscale" },
  depth_to_space: { to: "depthtospace" },
  space_to_depth: { to: "spacetodepth" },
  l2_normalize: { to: "l2normalize", names: { dim: "axis" } },
};
