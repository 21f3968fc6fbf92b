import type * as tfl from "@tensorflow/tfjs-layers";
import { nodeMacs } from "./macs.ts";
import { graphNodes } from "../model/model-graph.ts";
import type { Pair } from "../arithmetic/padding.ts";
import { receptiveFields } from "./receptive-field.ts";

export interface LayerSummary {
  name: string;
  /** The layer's class, as in saved files. */
  type: string;
  outputShape: (number | null)[];
  params: number;
  /** Names of the layers it takes its inputs from. */
  connectedTo: string[];
  macs: number;
  /** Height and width in pixels of the image. */
  receptiveField: Pair;
}

export interface ModelSummary {
  name: string;
  params: { total: number; trainable: number; nonTrainable: number };
  macs: number;
  /** Bytes: the weights, and every layer's output for one image, in float32. */
  memory: { weights: number; activations: number };
  layers: LayerSummary[];
}

/** What a network is made of, as data: one row a layer, in the order of computation. */
export function summarize(model: tfl.LayersModel): ModelSummary {
  const fields = receptiveFields(model);
  const layers = graphNodes(model).map((node): LayerSummary => {
    const { layer, inputs, outputs } = node;
    return {
      name: layer.name,
      type: layer.getClassName(),
      outputShape: [...(outputs[0]?.shape ?? [])],
      params: countWeights(layer.weights),
      connectedTo: inputs.map((input) => input.layer),
      macs: nodeMacs(node),
      receptiveField: fields.get(layer.name)?.size ?? [1, 1],
    };
  });
  const [total, trainable] = [countWeights(model.weights), countWeights(model.trainableWeights)];
  return {
    name: model.name,
    params: { total, trainable, nonTrainable: total - trainable },
    macs: layers.reduce((sum, layer) => sum + layer.macs, 0),
    memory: {
      weights: 4 * total,
      activations: 4 * layers.reduce((sum, { outputShape }) => sum + product(outputShape.slice(1)), 0),
    },
    layers,
  };
}

/** The summary as Keras prints it, with what Keras leaves out below the totals. Lines end without a newline at the end. */
export function summaryText(model: tfl.LayersModel): string {
  const summary = summarize(model);
  const inputs = graphNodes(model).map((node) =>
    node.inputs.map(({ layer, node, tensor }) => `${layer}[${node}][${tensor}]`),
  );
  const rows = summary.layers.map(({ name, type, outputShape, params }, i) => [
    [`${name} (${type})`],
    [`(${outputShape.map((size) => size ?? "None").join(", ")})`],
    [grouped(params)],
    inputs[i] as string[],
  ]);
  const titles = [["Layer (type)"], ["Output Shape"], ["Param #"], ["Connected to"]];
  const widths = titles.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] as string[])].flat().map((text) => text.length)),
  );
  const width = widths.reduce((sum, each) => sum + each + 2, 0);
  const lines = (cells: readonly string[][]): string[] =>
    Array.from({ length: Math.max(...cells.map((cell) => cell.length)) }, (_, line) =>
      cells
        .map((cell, column) => (cell[line] ?? "").padEnd((widths[column] as number) + 2))
        .join("")
        .trimEnd(),
    );
  const { params, macs, memory, layers } = summary;
  const spatial = layers.findLast(({ outputShape }) => outputShape.length === 4);
  return [
    `Model: "${summary.name}"`,
    "_".repeat(width),
    ...lines(titles),
    "=".repeat(width),
    ...rows.flatMap((row) => lines(row)),
    "=".repeat(width),
    `Total params: ${grouped(params.total)}`,
    `Trainable params: ${grouped(params.trainable)}`,
    `Non-trainable params: ${grouped(params.nonTrainable)}`,
    "_".repeat(width),
    `Multiply-adds: ${grouped(macs)}`,
    `Memory (float32): weights ${megabytes(memory.weights)}, activations of one image ${megabytes(memory.activations)}`,
    ...(spatial === undefined
      ? []
      : [`Receptive field: ${spatial.receptiveField.join(" x ")} pixels at ${spatial.name}`]),
  ].join("\n");
}

function countWeights(weights: readonly tfl.LayerVariable[]): number {
  return weights.reduce((sum, { shape }) => sum + product(shape), 0);
}

function product(sizes: readonly (number | null)[]): number {
  return sizes.reduce<number>((result, size) => result * (size ?? 1), 1);
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
