import { channelsOf, optional, pairOf, samePadding, toOnnxOrder, toTfjsOrder, withActivation } from "./layer-writer.ts";
import type { Write, Writing } from "./layer-writer.ts";

const depthwise: Write = (writing) =>
  withActivation(writing, convolve(writing, "depthwise_kernel", channelsOf(writing.inputs[0]!), "bias"));

/** Convolutions and dense layers. */
export const convolutionWriters: Readonly<Record<string, Write>> = {
  Conv2D: (writing) =>
    withActivation(writing, convolve(writing, "kernel", Number(writing.config["groups"] ?? 1), "bias")),
  DepthwiseConv2D: depthwise,
  DilatedDepthwiseConv2D: depthwise,
  SeparableConv2D: (writing) => {
    const { graph, layer } = writing;
    const depthwise = convolve(writing, "depthwise_kernel", channelsOf(writing.inputs[0]!), undefined);
    const weights = [
      graph.weight(writing.weight("pointwise_kernel", "torch")!),
      ...optional(graph, writing.weight("bias", "own")),
    ];
    return withActivation(writing, graph.node(layer.name, "Conv", [depthwise, ...weights], { kernel_shape: [1, 1] }));
  },
  Conv2DTranspose: (writing) => {
    const { graph, layer, config, inputs } = writing;
    const [kernel, strides] = [pairOf(config["kernelSize"]), pairOf(config["strides"])];
    const over = kernel.map((size, axis) => Math.max(0, size - strides[axis]!));
    const isSame = config["padding"] === "same";
    const pads = isSame
      ? [...over.map((size) => Math.floor(size / 2)), ...over.map((size) => Math.ceil(size / 2))]
      : [0, 0, 0, 0];
    const short = kernel.map((size, axis) => Math.max(0, strides[axis]! - size));
    const weights = [
      graph.weight(writing.weight("kernel", "torch")!),
      ...optional(graph, writing.weight("bias", "own")),
    ];
    const y = graph.node(layer.name, "ConvTranspose", [inputs[0]!.name, ...weights], {
      kernel_shape: kernel,
      strides,
      pads,
      output_padding: short,
    });
    return withActivation(writing, y);
  },
  Dense: (writing) => {
    const { graph, layer, inputs } = writing;
    const [x, rank] = [inputs[0]!, inputs[0]!.shape.length];
    const kernel = graph.weight(writing.weight("kernel", "own")!);
    const bias = optional(graph, writing.weight("bias", "own"));
    if (rank === 2) return withActivation(writing, graph.node(layer.name, "Gemm", [x.name, kernel, ...bias]));
    const product = graph.node(layer.name, "MatMul", [toTfjsOrder(graph, layer.name, x), kernel]);
    const y = bias.length === 0 ? product : graph.node(layer.name, "Add", [product, ...bias]);
    return withActivation(writing, toOnnxOrder(graph, layer.name, y, rank));
  },
};

function convolve(writing: Writing, kernelName: string, group: number, biasName: string | undefined): string {
  const { graph, layer, config, inputs } = writing;
  const kernel = writing.weight(kernelName, "torch")!;
  const bias = biasName === undefined ? undefined : writing.weight(biasName, "own");
  const size = kernel.shape.slice(2);
  return graph.node(layer.name, "Conv", [inputs[0]!.name, graph.weight(kernel), ...optional(graph, bias)], {
    kernel_shape: size,
    strides: pairOf(config["strides"]),
    dilations: pairOf(config["dilationRate"] ?? 1),
    group,
    ...samePadding(config, inputs[0]!, size, pairOf(config["strides"]), pairOf(config["dilationRate"] ?? 1)),
  });
}
