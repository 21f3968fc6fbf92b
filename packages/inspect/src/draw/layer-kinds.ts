/** What a layer does, for its color. */
export type LayerKind =
  | "input"
  | "output"
  | "convolution"
  | "depthwise"
  | "dense"
  | "pool"
  | "norm"
  | "activation"
  | "join"
  | "shape"
  | "recurrent"
  | "regularization"
  | "block"
  | "other";

/** The name of each kind in the legend. */
export const kindTitles: Readonly<Record<LayerKind, string>> = {
  input: "input",
  output: "output",
  convolution: "convolution",
  depthwise: "depthwise or separable convolution",
  dense: "dense",
  pool: "pooling",
  norm: "normalization",
  activation: "activation",
  join: "sum, product, concatenation",
  shape: "shape, padding, resizing",
  recurrent: "recurrent",
  regularization: "dropout, noise, augmentation",
  block: "folded block",
  other: "other",
};

const patterns: readonly (readonly [RegExp, LayerKind])[] = [
  [/^InputLayer$/, "input"],
  [/^(Depthwise|Separable)Conv/, "depthwise"],
  [/LSTM|GRU|RNN|Bidirectional|TimeDistributed/, "recurrent"],
  [/Conv\d?D/, "convolution"],
  [/^LocallyConnected/, "convolution"],
  [/Dense$|^EinsumDense$|^Embedding$/, "dense"],
  [/Pooling/, "pool"],
  [/Normalization$/, "norm"],
  [/^(Add|Subtract|Multiply|Average|Maximum|Minimum|Concatenate|Dot|CustomScaleLayer)$/, "join"],
  [/^(Activation|Softmax|LeakyReLU|PReLU|ELU|ReLU|ThresholdedReLU)$/, "activation"],
  [
    /^(Flatten|Reshape|Permute|RepeatVector|Masking|Rescaling|Resizing|PadChannels|SliceChannels|ShuffleChannels)$/,
    "shape",
  ],
  [/^(ZeroPadding|Cropping|UpSampling|CenterCrop)/, "shape"],
  [/Dropout|Noise|DropPath|DropBlock|StochasticDepth|^Random/, "regularization"],
];

/** The kind of a layer's class; `"other"` for classes that no rule names. */
export function kindOf(className: string): LayerKind {
  const name = className.slice(className.lastIndexOf(">") + 1);
  return patterns.find(([pattern]) => pattern.test(name))?.[1] ?? "other";
}

/** True for layers that are drawn as a line in the box of the layer before: norms, activations and dropouts. */
export function follows(kind: LayerKind): boolean {
  return kind === "norm" || kind === "activation" || kind === "regularization";
}
