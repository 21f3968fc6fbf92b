import { convolutionWriters } from "./convolutions.ts";
import { normWriters } from "./norms.ts";
import { clip } from "./activations.ts";
import { poolWriters } from "./pools.ts";
import { perChannel, toOnnxOrder, toTfjsOrder, withActivation } from "./layer-writer.ts";
import type { Write, Writing } from "./layer-writer.ts";

const same: Write = ({ inputs }) => inputs[0]!.name;

/** One writer per class. Feature maps enter and leave channels first. */
export const layerWriters: Readonly<Record<string, Write>> = {
  ...convolutionWriters,
  ...normWriters,
  ...poolWriters,

  ActivityRegularization: same,
  AlphaDropout: same,
  DropBlock2D: same,
  Dropout: same,
  GaussianDropout: same,
  GaussianNoise: same,
  Identity: same,
  KerasOnlyAugmentation: same,
  RandAugment: same,
  RandomBrightness: same,
  RandomContrast: same,
  RandomErasing: same,
  RandomFlip: same,
  RandomHue: same,
  RandomRotation: same,
  RandomSaturation: same,
  RandomShear: same,
  RandomTranslation: same,
  RandomZoom: same,
  SpatialDropout2D: same,

  Activation: (writing) => withActivation(writing, writing.inputs[0]!.name),
  ReLU: ({ graph, layer, config, inputs }) =>
    config["maxValue"] == null
      ? graph.node(layer.name, "Relu", [inputs[0]!.name])
      : clip(graph, layer.name, inputs[0]!.name, 0, Number(config["maxValue"])),
  BentReLU: ({ graph, layer, config, inputs }) => {
    const [x, threshold] = [inputs[0]!.name, Number(config["threshold"])];
    const number = (value: number): string => graph.floats(layer.name, [value], []);
    const above =
      config["maxValue"] == null ? x : graph.node(layer.name, "Min", [x, number(Number(config["maxValue"]))]);
    const past = graph.node(layer.name, "Sub", [x, number(threshold)]);
    const below = graph.node(layer.name, "Mul", [past, number(Number(config["negativeSlope"]))]);
    const isAbove = graph.node(layer.name, "GreaterOrEqual", [x, number(threshold)]);
    return graph.node(layer.name, "Where", [isAbove, above, below]);
  },
  Clipped: ({ graph, layer, config, inputs }) => {
    const bounds = [config["low"], config["high"]].map((bound) =>
      bound == null ? "" : graph.floats(layer.name, [Number(bound)], []),
    );
    return graph.node(layer.name, "Clip", [inputs[0]!.name, ...bounds]);
  },
  LayerScale: (writing) => {
    const { graph, layer, inputs } = writing;
    const gamma = perChannel(writing.weight("gamma", "own")!, inputs[0]!);
    return graph.node(layer.name, "Mul", [inputs[0]!.name, graph.weight(gamma)]);
  },
  LeakyReLU: ({ graph, layer, config, inputs }) =>
    graph.node(layer.name, "LeakyRelu", [inputs[0]!.name], { alpha: { float: Number(config["alpha"]) } }),
  ELU: ({ graph, layer, inputs }) => graph.node(layer.name, "Elu", [inputs[0]!.name]),
  ScaledELU: ({ graph, layer, config, inputs }) =>
    graph.node(layer.name, "Elu", [inputs[0]!.name], { alpha: { float: Number(config["alpha"]) } }),
  ThresholdedReLU: ({ graph, layer, config, inputs }) =>
    graph.node(layer.name, "ThresholdedRelu", [inputs[0]!.name], { alpha: { float: Number(config["theta"]) } }),
  PReLU: (writing) => {
    const { graph, layer, inputs, refuse } = writing;
    const alpha = writing.weight("alpha", "own")!;
    if (alpha.shape.slice(0, -1).some((size) => size !== 1))
      return refuse("a PReLU with a slope for every pixel is not written, only for every channel");
    return graph.node(layer.name, "PRelu", [inputs[0]!.name, graph.weight(perChannel(alpha, inputs[0]!))]);
  },
  Softmax: ({ graph, layer, config, inputs, refuse }) => {
    const rank = inputs[0]!.shape.length;
    if (config["axis"] !== -1 && config["axis"] !== rank - 1)
      return refuse("softmax is written over the channels only");
    return graph.node(layer.name, "Softmax", [inputs[0]!.name], { axis: rank === 4 ? 1 : -1 });
  },
  SoftmaxOver: ({ graph, layer, config, inputs, refuse }) => {
    const [axis, ...more] = config["axis"] as number[];
    if (more.length > 0) return refuse("softmax is written over one axis only");
    return graph.node(layer.name, "Softmax", [inputs[0]!.name], { axis: onnxAxis(axis!, inputs[0]!.shape.length) });
  },

  Rescaling: ({ graph, layer, config, inputs }) => {
    let y = inputs[0]!.name;
    for (const [key, op, neutral] of [
      ["scale", "Mul", 1],
      ["offset", "Add", 0],
    ] as const) {
      const values = [config[key] as number | number[]].flat();
      if (values.every((value) => value === neutral)) continue;
      const shape = values.length === 1 ? [] : inputs[0]!.shape.length === 4 ? [values.length, 1, 1] : [values.length];
      y = graph.node(layer.name, op, [y, graph.floats(layer.name, values, shape)]);
    }
    return y;
  },
  CustomScaleLayer: ({ graph, layer, config, inputs }) => {
    const scaled = graph.node(layer.name, "Mul", [
      inputs[1]!.name,
      graph.floats(layer.name, [Number(config["scale"])], []),
    ]);
    return graph.node(layer.name, "Add", [inputs[0]!.name, scaled]);
  },
  Power: ({ graph, layer, config, inputs }) =>
    graph.node(layer.name, "Pow", [inputs[0]!.name, graph.floats(layer.name, [Number(config["exponent"])], [])]),
  Add: (writing) => fold(writing, "Add"),
  Multiply: (writing) => fold(writing, "Mul"),
  Subtract: (writing) => fold(writing, "Sub"),
  Average: (writing) => variadic(writing, "Mean"),
  Maximum: (writing) => variadic(writing, "Max"),
  Minimum: (writing) => variadic(writing, "Min"),
  Concatenate: ({ graph, layer, config, inputs }) => {
    return graph.node(
      layer.name,
      "Concat",
      inputs.map(({ name }) => name),
      { axis: onnxAxis(Number(config["axis"] ?? -1), inputs[0]!.shape.length) },
    );
  },

  Flatten: ({ graph, layer, inputs }) =>
    graph.node(layer.name, "Flatten", [toTfjsOrder(graph, layer.name, inputs[0]!)], { axis: 1 }),
  Reshape: ({ graph, layer, config, inputs, output }) => {
    const shape = graph.ints([0, ...(config["targetShape"] as readonly (number | null)[]).map((size) => size ?? -1)]);
    const y = graph.node(layer.name, "Reshape", [toTfjsOrder(graph, layer.name, inputs[0]!), shape]);
    return toOnnxOrder(graph, layer.name, y, output.length);
  },
  Permute: ({ graph, layer, config, inputs, output }) => {
    const perm = [0, ...(config["dims"] as readonly number[])];
    const y = graph.node(layer.name, "Transpose", [toTfjsOrder(graph, layer.name, inputs[0]!)], { perm });
    return toOnnxOrder(graph, layer.name, y, output.length);
  },
};

/** The ONNX axis of a tfjs axis: `[n, h, w, c] -> [n, c, h, w]`. */
function onnxAxis(axis: number, rank: number): number {
  const own = axis < 0 ? rank + axis : axis;
  return rank === 4 ? [0, 2, 3, 1][own]! : own;
}

function fold({ graph, layer, inputs }: Writing, op: string): string {
  return inputs.map(({ name }) => name).reduce((sum, name) => graph.node(layer.name, op, [sum, name]));
}

function variadic({ graph, layer, inputs }: Writing, op: string): string {
  return graph.node(
    layer.name,
    op,
    inputs.map(({ name }) => name),
  );
}
