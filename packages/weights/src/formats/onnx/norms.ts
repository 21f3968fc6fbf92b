import { computedTensor } from "../../bytes/named-tensor.ts";
import { channelsOf, optional, perChannel, toOnnxOrder, toTfjsOrder } from "./layer-writer.ts";
import type { Write } from "./layer-writer.ts";

/** Layers that normalise. */
export const normWriters: Readonly<Record<string, Write>> = {
  BatchNormalization: (writing) => {
    const { graph, layer, config, inputs, refuse } = writing;
    const rank = inputs[0]!.shape.length;
    if (config["axis"] !== -1 && config["axis"] !== rank - 1)
      return refuse(`batch normalisation along axis ${String(config["axis"])} is not written`);
    if (rank !== 2 && rank !== 4) return refuse("batch normalisation is written for lists and maps only");
    const size = channelsOf(inputs[0]!);
    const get = (name: string, otherwise: number): string => {
      const weight = writing.weight(name, "own");
      return weight === undefined
        ? graph.floats(layer.name, new Float32Array(size).fill(otherwise), [size])
        : graph.weight(weight);
    };
    const weights = [get("gamma", 1), get("beta", 0), get("moving_mean", 0), get("moving_variance", 1)];
    return graph.node(layer.name, "BatchNormalization", [inputs[0]!.name, ...weights], {
      epsilon: { float: Number(config["epsilon"]) },
    });
  },
  LayerNormalization: (writing) => {
    const { graph, layer, config, inputs, refuse } = writing;
    const rank = inputs[0]!.shape.length;
    const axis = [config["axis"]].flat(2);
    if (axis.length !== 1 || (axis[0] !== -1 && axis[0] !== rank - 1))
      return refuse("layer normalisation is written along the channels only");
    const x = toTfjsOrder(graph, layer.name, inputs[0]!);
    const gamma = writing.weight("gamma", "own");
    const scale =
      gamma === undefined
        ? graph.floats(layer.name, new Float32Array(channelsOf(inputs[0]!)).fill(1), [channelsOf(inputs[0]!)])
        : graph.weight(gamma);
    const weights = [scale, ...optional(graph, writing.weight("beta", "own"))];
    const y = graph.node(layer.name, "LayerNormalization", [x, ...weights], {
      axis: -1,
      epsilon: { float: Number(config["epsilon"]) },
    });
    return toOnnxOrder(graph, layer.name, y, rank);
  },
  GroupNormalization: (writing) => {
    const { graph, layer, config, inputs, refuse } = writing;
    const [x, groups] = [inputs[0]!, Number(config["groups"])];
    if (x.shape.length !== 2 && x.shape.length !== 4)
      return refuse("group normalisation is written for lists and maps only");
    const parts = graph.node(layer.name, "Reshape", [x.name, graph.ints([0, groups, -1])]);
    const ones = graph.floats(layer.name, new Float32Array(groups).fill(1), [groups]);
    const zeros = graph.floats(layer.name, new Float32Array(groups), [groups]);
    const normal = graph.node(layer.name, "InstanceNormalization", [parts, ones, zeros], {
      epsilon: { float: Number(config["epsilon"]) },
    });
    let y = graph.node(layer.name, "Reshape", [normal, graph.node(layer.name, "Shape", [x.name])]);
    for (const [name, op] of [
      ["gamma", "Mul"],
      ["beta", "Add"],
    ] as const) {
      const weight = writing.weight(name, "own");
      if (weight !== undefined) y = graph.node(layer.name, op, [y, graph.weight(perChannel(weight, x))]);
    }
    return y;
  },
  Normalization: (writing) => {
    const { graph, layer, inputs } = writing;
    const [mean, variance] = [writing.weight("mean", "own")!, writing.weight("variance", "own")!];
    const deviation = computedTensor({
      ...variance,
      name: `${layer.name}/deviation`,
      read: () => Float32Array.from(variance.read(), (value) => Math.max(Math.sqrt(value), 1e-7)),
    });
    const centered = graph.node(layer.name, "Sub", [inputs[0]!.name, graph.weight(perChannel(mean, inputs[0]!))]);
    return graph.node(layer.name, "Div", [centered, graph.weight(perChannel(deviation, inputs[0]!))]);
  },
  LocalResponseNormalization: ({ graph, layer, config, inputs }) => {
    const size = 2 * Number(config["radius"]) + 1;
    // ONNX divides alpha by the window's length.
    const alpha = Number(config["alpha"]) * size;
    return graph.node(layer.name, "LRN", [inputs[0]!.name], {
      size,
      alpha: { float: alpha },
      beta: { float: Number(config["beta"]) },
      bias: { float: Number(config["bias"]) },
    });
  },
};
