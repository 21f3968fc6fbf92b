import { shuffledPlaces } from "@convkit/core/internal";
import { pairOf, samePadding } from "./layer-writer.ts";
import type { Pair, Write, Writing } from "./layer-writer.ts";

/** Pools, and layers that resize a feature map. */
export const poolWriters: Readonly<Record<string, Write>> = {
  MaxPooling2D: (writing) => pool(writing, "MaxPool"),
  AveragePooling2D: (writing) => pool(writing, "AveragePool"),
  PaddedPooling2D: (writing) => {
    const { graph, layer, config, inputs } = writing;
    const padding = config["padding"] as readonly [Pair, Pair];
    const isMax = config["mode"] === "max";
    const x = isMax ? apartFromPad(writing, inputs[0]!.name) : inputs[0]!.name;
    return graph.node(layer.name, isMax ? "MaxPool" : "AveragePool", [x], {
      kernel_shape: pairOf(config["poolSize"]),
      strides: pairOf(config["strides"]),
      pads: [padding[0][0], padding[1][0], padding[0][1], padding[1][1]],
      ceil_mode: config["ceilMode"] === true ? 1 : 0,
      count_include_pad: isMax ? undefined : Number(config["countIncludePad"] === true),
    });
  },
  GlobalAveragePooling2D: (writing) => globalPool(writing, "GlobalAveragePool", writing.config["keepdims"] === true),
  GlobalMaxPooling2D: (writing) => globalPool(writing, "GlobalMaxPool", false),
  GlobalMaxPooling2DKeepdims: (writing) => globalPool(writing, "GlobalMaxPool", true),
  AdaptiveAveragePooling2D: (writing) => {
    const { graph, layer, config, inputs, refuse } = writing;
    const [rows, columns] = pairOf(config["outputSize"]);
    if (rows === 1 && columns === 1) return graph.node(layer.name, "GlobalAveragePool", [inputs[0]!.name]);
    const [, height, width] = inputs[0]!.shape;
    if (height == null || width == null) return refuse("adaptive pooling needs an input of known size");
    if (height === rows && width === columns) return inputs[0]!.name;
    // Take the means along each axis as a matrix product.
    const right = graph.node(layer.name, "MatMul", [
      inputs[0]!.name,
      graph.floats(layer.name, means(width, columns, true), [width, columns]),
    ]);
    return graph.node(layer.name, "MatMul", [
      graph.floats(layer.name, means(height, rows, false), [rows, height]),
      right,
    ]);
  },

  ZeroPadding2D: ({ graph, layer, config, inputs }) => {
    const [[top, bottom], [left, right]] = config["padding"] as [Pair, Pair];
    return graph.node(layer.name, "Pad", [inputs[0]!.name, graph.ints([0, 0, top, left, 0, 0, bottom, right])]);
  },
  PadChannels: ({ graph, layer, config, inputs }) =>
    graph.node(layer.name, "Pad", [
      inputs[0]!.name,
      graph.ints([0, Number(config["before"]), 0, 0, 0, Number(config["after"]), 0, 0]),
    ]),
  SliceChannels: ({ graph, layer, config, inputs }) => {
    const [start, count] = [Number(config["start"]), Number(config["count"])];
    return graph.node(layer.name, "Slice", [
      inputs[0]!.name,
      graph.ints([start]),
      graph.ints([start + count]),
      graph.ints([1]),
    ]);
  },
  ShuffleChannels: ({ graph, layer, config, inputs }) => {
    const places = shuffledPlaces(inputs[0]!.shape.at(-1)!, Number(config["groups"]));
    return graph.node(layer.name, "Gather", [inputs[0]!.name, graph.ints(places)], { axis: 1 });
  },
  Cropping2D: ({ graph, layer, config, inputs }) => {
    const [[top, bottom], [left, right]] = config["cropping"] as [Pair, Pair];
    const ends = [bottom, right].map((size) => (size === 0 ? 2 ** 31 : -size));
    return graph.node(layer.name, "Slice", [
      inputs[0]!.name,
      graph.ints([top, left]),
      graph.ints(ends),
      graph.ints([2, 3]),
    ]);
  },
  CroppedCentre: ({ graph, layer, config, inputs, refuse }) => {
    const [, height, width] = inputs[0]!.shape;
    if (height == null || width == null) return refuse("a crop at the centre needs an input of known size");
    const [top, left] = [
      Math.floor((height - Number(config["height"])) / 2),
      Math.floor((width - Number(config["width"])) / 2),
    ];
    const ends = [top + Number(config["height"]), left + Number(config["width"])];
    return graph.node(layer.name, "Slice", [
      inputs[0]!.name,
      graph.ints([top, left]),
      graph.ints(ends),
      graph.ints([2, 3]),
    ]);
  },
  RandomCrop: (writing) => {
    // In prediction nothing is drawn: the largest central window with the crop's proportions is resized.
    const { graph, layer, config, inputs, output, refuse } = writing;
    const [, h, w] = inputs[0]!.shape;
    if (h == null || w == null) return refuse("a random crop needs an input of known size");
    const [height, width] = [Number(config["height"]), Number(config["width"])];
    const rows = Math.max(1, Math.min(h, Math.trunc((w * height) / width)));
    const columns = Math.max(1, Math.min(w, Math.trunc((h * width) / height)));
    const [top, left] = [Math.trunc((h - rows) / 2), Math.trunc((w - columns) / 2)];
    const bounds = [
      [top, left],
      [top + rows, left + columns],
      [2, 3],
    ].map((numbers) => graph.ints(numbers));
    const name = graph.node(layer.name, "Slice", [inputs[0]!.name, ...bounds]);
    if (rows === height && columns === width) return name;
    return resize({ ...writing, inputs: [{ name, shape: [output[0]!, rows, columns, output[3]!] }] }, "linear");
  },
  UpSampling2D: (writing) => {
    if (writing.config["interpolation"] === "bilinear")
      return writing.refuse("tfjs' bilinear upsampling takes pixels as points, which is not written");
    return resize(writing, "nearest");
  },
  ScaledUp2D: (writing) => resize(writing, writing.config["interpolation"] === "nearest" ? "nearest" : "linear"),
  ResizedTo: (writing) => resize(writing, writing.config["interpolation"] === "nearest" ? "nearest" : "linear"),
};

function pool(writing: Writing, op: "MaxPool" | "AveragePool"): string {
  const { graph, layer, config, inputs } = writing;
  const [size, strides] = [pairOf(config["poolSize"]), pairOf(config["strides"])];
  return graph.node(layer.name, op, [op === "MaxPool" ? apartFromPad(writing, inputs[0]!.name) : inputs[0]!.name], {
    kernel_shape: size,
    strides,
    ...samePadding(config, inputs[0]!, size, strides, [1, 1]),
  });
}

/**
 * ONNX Runtime (1.30 and 1.31) fuses zero padding with a max pool after it. The fused pool pads with minus infinity
 * instead of zero. A Clip at the lowest float32 between the two prevents the fusion.
 */
function apartFromPad({ graph, layer }: Writing, x: string): string {
  if (graph.makerOf(x) !== "Pad") return x;
  return graph.node(layer.name, "Clip", [x, graph.floats(layer.name, [-3.4028234663852886e38], [])]);
}

function globalPool({ graph, layer, inputs }: Writing, op: string, keep: boolean): string {
  const y = graph.node(layer.name, op, [inputs[0]!.name]);
  return keep ? y : graph.node(layer.name, "Flatten", [y], { axis: 1 });
}

function resize({ graph, layer, inputs, output, refuse }: Writing, mode: "nearest" | "linear"): string {
  const [, height, width] = output;
  if (height == null || width == null) return refuse("resizing needs sizes that are known");
  const shape = graph.node(layer.name, "Shape", [inputs[0]!.name]);
  const kept = graph.node(layer.name, "Slice", [shape, graph.ints([0]), graph.ints([2])]);
  const sizes = graph.node(layer.name, "Concat", [kept, graph.ints([height, width])], { axis: 0 });
  // For tfjs' nearest neighbour with whole factors, every rounding rule gives the same result.
  return graph.node(layer.name, "Resize", [inputs[0]!.name, "", "", sizes], {
    mode,
    coordinate_transformation_mode: "half_pixel",
    nearest_mode: mode === "nearest" ? "round_prefer_ceil" : undefined,
  });
}

/** The averaging matrix: part `i` of `parts` is the mean of pixels floor(i n / parts) to ceil((i + 1) n / parts). */
function means(length: number, parts: number, columns: boolean): Float32Array {
  const matrix = new Float32Array(length * parts);
  for (let part = 0; part < parts; part++) {
    const [start, end] = [Math.floor((part * length) / parts), Math.ceil(((part + 1) * length) / parts)];
    for (let i = start; i < end; i++) matrix[columns ? i * parts + part : part * length + i] = 1 / (end - start);
  }
  return matrix;
}
