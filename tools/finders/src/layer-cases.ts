import type { Draw } from "./draw.ts";

/** A layer of tfjs-layers with drawn options, and what Keras calls it. */
export interface LayerCase {
  /** The function in `tf.layers`. */
  readonly layer: string;
  readonly keras: string;
  /** The options as tfjs-layers takes them; Keras' names follow by writing them in snake case. */
  readonly args: Record<string, unknown>;
  /** Options that Keras needs to compute what tfjs-layers computes, where the defaults of the two differ. */
  readonly kerasArgs?: Record<string, unknown>;
  /** Shapes of the inputs, batch included. */
  readonly inputs: readonly (readonly number[])[];
  /** Inputs are whole numbers below this one. */
  readonly indices?: number;
  readonly training?: boolean;
  /** The layer inside of a wrapper. */
  readonly inner?: Omit<LayerCase, "inputs">;
}

type Generator = (d: Draw) => Omit<LayerCase, "layer" | "keras">;

const spatial = (d: Draw, rank: number, low = 4, high = 7) => Array.from({ length: rank }, () => d.int(low, high));
const image = (d: Draw, rank = 2) => [[d.int(1, 3), ...spatial(d, rank), d.int(1, 4)]];
const sizes = (d: Draw, rank: number, low: number, high: number) =>
  rank === 1 || d.flip() ? d.int(low, high) : Array.from({ length: rank }, () => d.int(low, high));

// hardSigmoid is another function in Keras 3 (x / 6 + 1/2): tfjs-layers has that of Keras 2 (x / 5 + 1/2).
const activations = ["relu", "tanh", "sigmoid", "elu", "selu", "relu6", "softplus", "softsign", "linear", "softmax"];
const activation = (d: Draw) => d.maybe("activation", () => d.of(...activations));
const regularizer = (d: Draw) =>
  d.of<object>(
    { className: "L1", config: { l1: 0.03 } },
    { className: "L2", config: { l2: 0.02 } },
    { className: "L1L2", config: { l1: 0.01, l2: 0.02 } },
  );
const trained = (d: Draw) => ({
  ...activation(d),
  ...d.maybe("useBias", () => d.flip()),
  ...d.maybe("kernelRegularizer", () => regularizer(d)),
  ...d.maybe("biasRegularizer", () => regularizer(d)),
  ...d.maybe("activityRegularizer", () => regularizer(d)),
});

/** Strides or dilation, never both above one: TensorFlow refuses the two together. */
function steps(d: Draw, rank: number): object {
  if (d.flip()) return d.maybe("strides", () => sizes(d, rank, 1, 3));
  return d.maybe("dilationRate", () => (d.flip() ? 2 : 1));
}

function convolution(rank: number): Generator {
  return (d) => ({
    args: {
      filters: d.int(1, 4),
      kernelSize: sizes(d, rank, 1, 3),
      ...d.maybe("padding", () => d.of("same", "valid")),
      ...steps(d, rank),
      ...trained(d),
    },
    inputs: image(d, rank),
  });
}

function transposed(rank: number): Generator {
  return (d) => ({
    args: {
      filters: d.int(1, 3),
      kernelSize: sizes(d, rank, 1, 3),
      ...d.maybe("padding", () => d.of("same", "valid")),
      ...d.maybe("strides", () => sizes(d, rank, 1, 3)),
      ...activation(d),
      ...d.maybe("useBias", () => d.flip()),
    },
    inputs: image(d, rank),
  });
}

function pooling(rank: number): Generator {
  return (d) => ({
    args: {
      ...d.maybe("poolSize", () => sizes(d, rank, 1, 3)),
      ...d.maybe("strides", () => sizes(d, rank, 1, 3)),
      ...d.maybe("padding", () => d.of("same", "valid")),
    },
    inputs: image(d, rank),
  });
}

function merging(options: (d: Draw) => object = () => ({})): Generator {
  return (d) => {
    const shape = [d.int(1, 3), ...spatial(d, d.int(1, 3), 1, 5)];
    return { args: options(d) as Record<string, unknown>, inputs: Array.from({ length: d.int(2, 4) }, () => shape) };
  };
}

const ofAnyRank = (d: Draw) => [[d.int(1, 3), ...spatial(d, d.int(1, 3), 1, 5)]];
const series = (d: Draw) => [[d.int(1, 3), d.int(1, 5), d.int(1, 4)]];

const recurrent: Generator = (d) => ({
  args: {
    units: d.int(1, 4),
    ...d.maybe("activation", () => d.of("tanh", "relu", "sigmoid")),
    ...d.maybe("useBias", () => d.flip()),
    ...d.maybe("returnSequences", () => d.flip()),
    ...d.maybe("goBackwards", () => d.flip()),
  },
  inputs: series(d),
});
// tfjs-layers has hardSigmoid of Keras 2 as the default of gates, Keras 3 sigmoid.
const gated: Generator = (d) => {
  const drawn = recurrent(d);
  return { ...drawn, args: { ...drawn.args, recurrentActivation: d.of("sigmoid", "tanh") } };
};

/** Every layer of tfjs-layers that computes something from its input alone, by tfjs' name and Keras'. */
const generators: Readonly<Record<string, readonly [keras: string, Generator]>> = {
  conv1d: [
    "Conv1D",
    (d) => {
      const drawn = convolution(1)(d);
      const causal = d.unit() < 0.3 && drawn.args["strides"] === undefined;
      return causal ? { ...drawn, args: { ...drawn.args, padding: "causal" } } : drawn;
    },
  ],
  conv2d: ["Conv2D", convolution(2)],
  conv3d: [
    "Conv3D",
    (d) => {
      const { dilationRate: _, ...args } = convolution(3)(d).args;
      return { args, inputs: image(d, 3) };
    },
  ],
  conv2dTranspose: ["Conv2DTranspose", transposed(2)],
  conv3dTranspose: ["Conv3DTranspose", transposed(3)],
  separableConv2d: [
    "SeparableConv2D",
    (d) => ({
      args: {
        filters: d.int(1, 4),
        kernelSize: sizes(d, 2, 1, 3),
        ...d.maybe("padding", () => d.of("same", "valid")),
        // TensorFlow's depthwise kernel has one stride for both axes.
        ...d.maybe("strides", () => d.int(1, 3)),
        ...d.maybe("depthMultiplier", () => d.int(1, 3)),
        ...activation(d),
        ...d.maybe("useBias", () => d.flip()),
        ...d.maybe("depthwiseRegularizer", () => regularizer(d)),
        ...d.maybe("pointwiseRegularizer", () => regularizer(d)),
      },
      inputs: image(d),
    }),
  ],
  depthwiseConv2d: [
    "DepthwiseConv2D",
    (d) => ({
      args: {
        kernelSize: sizes(d, 2, 1, 3),
        ...d.maybe("padding", () => d.of("same", "valid")),
        ...d.maybe("strides", () => d.int(1, 3)),
        ...d.maybe("depthMultiplier", () => d.int(1, 3)),
        ...activation(d),
        ...d.maybe("useBias", () => d.flip()),
        ...d.maybe("depthwiseRegularizer", () => regularizer(d)),
      },
      inputs: image(d),
    }),
  ],
  dense: [
    "Dense",
    (d) => ({
      args: { units: d.int(1, 5), ...trained(d) },
      inputs: [[d.int(1, 3), ...spatial(d, d.int(1, 2), 1, 5)]],
    }),
  ],
  activation: [
    "Activation",
    (d) => ({
      args: { activation: d.of(...activations, "swish", "mish") },
      inputs: ofAnyRank(d),
    }),
  ],
  reLU: ["ReLU", (d) => ({ args: { ...d.maybe("maxValue", () => 0.5) }, inputs: ofAnyRank(d) })],
  leakyReLU: [
    "LeakyReLU",
    (d) => {
      const alpha = d.maybe("alpha", () => d.of(0.1, 0.01, 0.5));
      return { args: alpha, kerasArgs: { negative_slope: alpha.alpha ?? 0.3 }, inputs: ofAnyRank(d) };
    },
  ],
  prelu: [
    "PReLU",
    (d) => {
      const inputs = image(d);
      return { args: { ...d.maybe("sharedAxes", () => d.of([1, 2], [1], [2], [3], [1, 2, 3])) }, inputs };
    },
  ],
  elu: ["ELU", (d) => ({ args: { ...d.maybe("alpha", () => d.of(0.5, 2)) }, inputs: ofAnyRank(d) })],
  softmax: [
    "Softmax",
    (d) => {
      const inputs = ofAnyRank(d);
      return { args: { ...d.maybe("axis", () => d.of(-1, 1, inputs[0]!.length - 1)) }, inputs };
    },
  ],
  flatten: ["Flatten", (d) => ({ args: {}, inputs: ofAnyRank(d) })],
  reshape: [
    "Reshape",
    (d) => {
      const [a, b] = [d.int(1, 4), d.int(1, 4)];
      return { args: { targetShape: d.of([a * b], [b, a], [-1, a], [b, 1, -1]) }, inputs: [[2, a, b]] };
    },
  ],
  permute: ["Permute", (d) => ({ args: { dims: d.of([1, 2, 3], [3, 1, 2], [2, 1, 3], [3, 2, 1]) }, inputs: image(d) })],
  repeatVector: ["RepeatVector", (d) => ({ args: { n: d.int(1, 4) }, inputs: [[d.int(1, 3), d.int(1, 4)]] })],
  add: ["Add", merging()],
  average: ["Average", merging()],
  maximum: ["Maximum", merging()],
  minimum: ["Minimum", merging()],
  multiply: ["Multiply", merging()],
  concatenate: ["Concatenate", merging((d) => d.maybe("axis", () => d.of(-1, 1)))],
  dot: [
    "Dot",
    (d) => {
      const [n, m] = [d.int(1, 4), d.int(1, 4)];
      const args = { axes: d.of<number | number[]>(-1, [1, 1], 1), ...d.maybe("normalize", () => d.flip()) };
      return {
        args,
        inputs: [
          [m, n],
          [m, n],
        ],
      };
    },
  ],
  batchNormalization: [
    "BatchNormalization",
    (d) => ({
      args: { ...d.maybe("axis", () => d.of(-1, 3)), ...d.maybe("epsilon", () => d.of(1e-5, 0.01)) },
      inputs: [[d.int(2, 3), ...spatial(d, 2), d.int(1, 4)]],
      training: d.flip(),
    }),
  ],
  layerNormalization: [
    "LayerNormalization",
    (d) => ({
      args: {
        ...d.maybe("axis", () => d.of<number | number[]>(-1, 3, [2, 3], [1, 2, 3])),
        ...d.maybe("epsilon", () => d.of(1e-5, 0.01)),
      },
      inputs: [[d.int(1, 3), ...spatial(d, 2), d.int(4, 6)]],
    }),
  ],
  maxPooling1d: ["MaxPooling1D", pooling(1)],
  maxPooling2d: ["MaxPooling2D", pooling(2)],
  maxPooling3d: ["MaxPooling3D", pooling(3)],
  averagePooling1d: ["AveragePooling1D", pooling(1)],
  averagePooling2d: ["AveragePooling2D", pooling(2)],
  averagePooling3d: ["AveragePooling3D", pooling(3)],
  globalAveragePooling1d: ["GlobalAveragePooling1D", (d) => ({ args: {}, inputs: series(d) })],
  globalAveragePooling2d: ["GlobalAveragePooling2D", (d) => ({ args: {}, inputs: image(d) })],
  globalMaxPooling1d: ["GlobalMaxPooling1D", (d) => ({ args: {}, inputs: series(d) })],
  globalMaxPooling2d: ["GlobalMaxPooling2D", (d) => ({ args: {}, inputs: image(d) })],
  upSampling2d: [
    "UpSampling2D",
    (d) => ({
      // tfjs-layers takes the size as a pair alone.
      args: { ...d.maybe("size", () => [d.int(1, 3), d.int(1, 3)]), interpolation: "nearest" },
      inputs: image(d),
    }),
  ],
  cropping2D: [
    "Cropping2D",
    (d) => ({
      args: {
        cropping: d.of<unknown>(
          1,
          [1, 0],
          [
            [1, 0],
            [0, 2],
          ],
        ),
      },
      inputs: image(d),
    }),
  ],
  zeroPadding2d: [
    "ZeroPadding2D",
    (d) => ({
      args: {
        ...d.maybe("padding", () =>
          d.of<unknown>(
            2,
            [1, 0],
            [
              [1, 0],
              [0, 2],
            ],
          ),
        ),
      },
      inputs: image(d),
    }),
  ],
  rescaling: ["Rescaling", (d) => ({ args: { scale: 1 / 127.5, ...d.maybe("offset", () => -1) }, inputs: image(d) })],
  centerCrop: ["CenterCrop", (d) => ({ args: { height: d.int(1, 4), width: d.int(1, 4) }, inputs: image(d) })],
  embedding: [
    "Embedding",
    (d) => ({
      args: { inputDim: 7, outputDim: d.int(1, 4) },
      inputs: [[d.int(1, 3), d.int(1, 4)]],
      indices: 7,
    }),
  ],
  simpleRNN: ["SimpleRNN", recurrent],
  lstm: ["LSTM", gated],
  gru: ["GRU", (d) => ({ ...gated(d), kerasArgs: { reset_after: false } })],
  bidirectional: [
    "Bidirectional",
    (d) => {
      const { inputs, args } = gated(d);
      const { goBackwards: _, ...inner } = args;
      return {
        args: { mergeMode: d.of("concat", "sum", "mul", "ave") },
        inner: { layer: "lstm", keras: "LSTM", args: inner },
        inputs,
      };
    },
  ],
  timeDistributed: [
    "TimeDistributed",
    (d) => ({
      args: {},
      inner: { layer: "dense", keras: "Dense", args: { units: d.int(1, 4), ...activation(d) } },
      inputs: series(d),
    }),
  ],
  convLstm2d: [
    "ConvLSTM2D",
    (d) => ({
      args: {
        filters: d.int(1, 3),
        kernelSize: sizes(d, 2, 1, 3),
        recurrentActivation: "sigmoid",
        ...d.maybe("padding", () => d.of("same", "valid")),
        ...d.maybe("returnSequences", () => d.flip()),
      },
      inputs: [[d.int(1, 2), d.int(1, 3), ...spatial(d, 2), d.int(1, 2)]],
    }),
  ],
  dropout: ["Dropout", (d) => ({ args: { rate: 0.4 }, inputs: ofAnyRank(d) })],
  spatialDropout1d: ["SpatialDropout1D", (d) => ({ args: { rate: 0.4 }, inputs: series(d) })],
  gaussianNoise: ["GaussianNoise", (d) => ({ args: { stddev: 0.4 }, inputs: ofAnyRank(d) })],
  gaussianDropout: ["GaussianDropout", (d) => ({ args: { rate: 0.4 }, inputs: ofAnyRank(d) })],
  alphaDropout: ["AlphaDropout", (d) => ({ args: { rate: 0.4 }, inputs: ofAnyRank(d) })],
};

/** What tfjs-layers refuses with an error of its own, and what a user does instead. */
export const refusals: readonly (readonly [message: RegExp, reason: string])[] = [
  [/CAUSAL padding mode in conv1dWithBias/, "causal Conv1D: pad in front, then convolve"],
  [/activity regularizer\(s\) is not supported/, "activity regularizers: add the penalty to the loss"],
  [/Non-default alpha value .* ELU/, "ELU with another alpha"],
  [/Softmax along a non-last dimension/, "softmax over another axis than the last"],
  [/flatten_Flatten\d+: expected min_ndim=3/, "flatten of what is flat"],
  [/passed to stack must be a `Tensor\[\]`/, "the gradient of a sequence of one step"],
  [/gradient function not found for CropAndResize/, "the gradient of CenterCrop"],
  [
    /dilation rates greater than 1 are not yet supported in gradients/,
    "the gradient of a dilated convolution: core's conv has one",
  ],
  [/gradient function not found for Conv3DBackpropInputV2/, "the gradient of Conv3DTranspose"],
];

/**
 * Layers and options of tfjs-layers that are not compared, and why. Options: `depthwiseConv2d` ignores dilationRate, and
 * batchNormalization and layerNormalization throw for other axes or without centre or scale where a gradient is taken;
 * core and the weights package have layers of their own for these.
 */
export const leftOut: Readonly<Record<string, string>> = {
  thresholdedReLU: "Keras 3 has no such layer",
  masking: "alone it changes nothing but the mask",
  resizing: "tfjs-layers aligns corners as TensorFlow 1 did: use the resize of the datasets package",
  randomWidth: "draws",
  categoryEncoding: "has no gradient; the weights package compares it on Keras' files",
  input: "computes nothing",
  inputLayer: "computes nothing",
  Layer: "a base class",
  RNN: "a base class",
  RNNCell: "a base class",
  rnn: "takes cells: see lstm, gru and simpleRNN",
  stackedRNNCells: "a cell",
  simpleRNNCell: "a cell",
  gruCell: "a cell",
  lstmCell: "a cell",
  convLstm2dCell: "a cell",
};

/** Second names of layers. */
export const aliases: Readonly<Record<string, string>> = Object.fromEntries(
  [1, 2, 3].flatMap((rank) => [
    [`avgPool${rank}d`, `averagePooling${rank}d`],
    [`avgPooling${rank}d`, `averagePooling${rank}d`],
    [`maxPool${rank}d`, `maxPooling${rank}d`],
    [`globalMaxPool${rank}d`, `globalMaxPooling${rank}d`],
  ]),
);

export const layerNames = Object.keys(generators);

export function layerCase(layer: string, d: Draw): LayerCase {
  const [keras, generate] = generators[layer]!;
  return { layer, keras, ...generate(d) };
}
