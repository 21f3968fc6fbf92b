/** Specs of tfjs-core that an engine of ours need not pass, each with the reason. */
export interface Exclusion {
  readonly specs: RegExp;
  readonly engines: readonly string[];
  readonly reason: string;
}

const both = ["native", "wasm"];

export const exclusions: readonly Exclusion[] = [
  {
    specs: /^ragged(Gather|Range|TensorToTensor) /,
    engines: both,
    reason: "neither stock backend has kernels of ragged tensors",
  },
  {
    specs:
      /^(sparseFillEmptyRows|sparseReshape|sparseSegmentMean|sparseSegmentSum|stringNGrams|stringSplit|stringToHashBucketFast|bitwiseAnd|lowerBound|upperBound|searchSorted) /,
    engines: ["native"],
    reason: "tfjs-node has no such kernel, and no convolutional network needs it",
  },
  { specs: /NCHW/, engines: both, reason: "TensorFlow's CPU kernels and ours take NHWC only, and say so" },
  { specs: /string/, engines: both, reason: "TensorFlow and WebAssembly compare and move numbers, not strings" },
  {
    specs:
      /^(\dD I?R?FFT|stft|abs|add|sub|mul|clone|complex64|concat\dd|encodeWeights|decodeWeights|tensor|tensor\.toString|tensor arraySync|tensor with 0 in shape|transpose|util\.toNestedArray|onesLike|squeeze|fill|tile|staticRegexReplace)\b/,
    engines: ["wasm"],
    reason: "WebAssembly has no complex numbers and no strings, as stock",
  },
  {
    specs: /^avgPool gradient x=\[3,3,1\] f=\[3,3\] s=1 p=explicit/,
    engines: both,
    reason:
      "the spec divides by the whole window, though the forward pass divides by the part inside the input; ours is its gradient",
  },
  {
    specs: /^conv2dTranspose input=8x8x8,output=4x4x8/,
    engines: both,
    reason: "the spec's input does not fit its output shape; TensorFlow and ours refuse it",
  },
  {
    specs: /^pool (max|avg) .*fractional outputs default rounding/,
    engines: both,
    reason:
      "the spec expects the input unchanged though its windows lie in the padding, as a shortcut of the cpu backend gives it",
  },
  {
    specs: /^conv2dTranspose .*p=explicit/,
    engines: ["native"],
    reason: "tfjs-node's gradient of a convolution's input takes no explicit padding, and says so",
  },
  {
    specs: /^maxPoolWithArgmax .*ignores NaNs/,
    engines: ["native"],
    reason: "TensorFlow's op gives NaN for a window with NaN, where its MaxPool leaves NaN out",
  },
  { specs: /^threshold method otsu/, engines: ["wasm"], reason: "bincount of stock wasm takes no empty weights" },
  {
    specs: /^avgPool3d x=\[1,1,1,1,1\] f=\[1,1,3\]/,
    engines: ["native"],
    reason: "TensorFlow refuses an output of negative size",
  },
  {
    specs: /^scatterND /,
    engines: ["native"],
    reason: "TensorFlow checks the updates' shape, tfjs' specs leave it open",
  },
  {
    specs: /^sign |^unique 1d tensor with NaN/,
    engines: ["native"],
    reason: "TensorFlow keeps NaN where tfjs takes it for 0",
  },
  {
    specs: /^(diag bool|leakyrelu int32|step kernel with int32)/,
    engines: ["native"],
    reason: "TensorFlow's op has no such type",
  },
  {
    specs: /^tan numbers exceed/,
    engines: ["native"],
    reason: "TensorFlow's float32 tangent of large numbers differs in the last digits",
  },
  {
    specs: /^multinomial creates the same data/,
    engines: ["native"],
    reason: "tfjs-node gives TensorFlow one of two seeds",
  },
  {
    specs:
      /^(einsum (2d matrix calculate trace|nonexistent dimension)|depthwiseConv2d gradients throws error on dilations)/,
    engines: ["native"],
    reason: "TensorFlow can do what the spec expects to be refused, or refuses it in other words",
  },
];
