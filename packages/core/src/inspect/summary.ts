import type * as tfl from "@tensorflow/tfjs-layers";
import { checkModel } from "../model/check-model.ts";
import { addUp, nodeMacs } from "./macs.ts";
import { modelMetadata } from "../metadata/metadata.ts";
import { graphNodes } from "./model-graph.ts";
import type { Pair } from "../arithmetic/padding.ts";
import { nestedModel } from "./model-graph.ts";
import { shapedNodes } from "./nested-nodes.ts";
import type { ShapedNode } from "./nested-nodes.ts";
import { nodeFields } from "./receptive-field.ts";

export interface LayerSummary {
  readonly name: string;
  /** The layer's class, as in saved files. */
  readonly type: string;
  readonly outputShape: readonly (number | null)[];
  readonly params: number;
  /** Names of the layers that compute its inputs. */
  readonly connectedTo: readonly string[];
  /** Multiply-adds of one image; null if they depend on an unknown size. */
  readonly macs: number | null;
  /** Height and width in pixels of the image. */
  readonly receptiveField: Pair;
}

export interface ModelSummary {
  readonly name: string;
  /** The source of the network's definition, for networks of the zoo. */
  readonly source?: string;
  readonly params: { readonly total: number; readonly trainable: number; readonly nonTrainable: number };
  /** Multiply-adds of one image; null if they depend on an unknown size. */
  readonly macs: number | null;
  /** Bytes in float32: the weights, and every layer's outputs for one image (null if a size is unknown). */
  readonly memory: { readonly weights: number; readonly activations: number | null };
  readonly layers: readonly LayerSummary[];
  /** Names of layers that could not be measured; multiply-adds and receptive fields do not include them. */
  readonly without: { readonly macs: readonly string[]; readonly receptiveField: readonly string[] };
}

/** The parts of a network as data: one row for each use of a layer, in the order of computation. */
export function summarize(model: tfl.LayersModel): ModelSummary {
  checkModel("summarize", model);
  const nodes = shapedNodes(model);
  const fields = nodeFields(nodes, new Map()).map(({ field }) => field);
  const counts = nodes.map(nodeMacs);
  const layers = nodes.map(({ node: { layer, inputs }, outputShapes }, i): LayerSummary => {
    return {
      name: layer.name,
      type: layer.getClassName(),
      outputShape: [...(outputShapes[0] ?? [])],
      params: countWeights(layer.weights),
      connectedTo: inputs.map((input) => input.layer),
      macs: counts[i]?.macs ?? null,
      receptiveField: fields[i]?.size ?? [1, 1],
    };
  });
  const [total, trainable] = [countWeights(model.weights), countWeights(model.trainableWeights)];
  const { macs, without } = addUp(counts);
  const { source } = modelMetadata(model);
  return {
    name: model.name,
    ...(source === undefined ? {} : { source }),
    params: { total, trainable, nonTrainable: total - trainable },
    macs,
    memory: { weights: 4 * total, activations: activationBytes(nodes) },
    layers,
    without: { macs: without, receptiveField: [...new Set(fields.flatMap((field) => field.without ?? []))] },
  };
}

/** Bytes of all outputs for one image, including outputs inside nested models. */
function activationBytes(nodes: readonly ShapedNode[]): number | null {
  const bytes = nodes.map(({ node, inputShapes, outputShapes }) => {
    const nested = nestedModel(node.layer);
    if (nested !== undefined) return activationBytes(shapedNodes(nested, inputShapes));
    const sizes = outputShapes.map((shape) => shape.slice(1));
    return sizes.flat().includes(null) ? null : 4 * sizes.reduce((sum, size) => sum + product(size), 0);
  });
  return bytes.includes(null) ? null : bytes.reduce<number>((sum, each) => sum + (each as number), 0);
}

/** The summary in Keras' format; multiply-adds, memory and receptive field follow the totals. No newline at the end. */
export function summaryText(model: tfl.LayersModel): string {
  checkModel("summaryText", model);
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
  const { params, macs, memory, layers, without, source } = summary;
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
    `Multiply-adds: ${macs === null ? "depend on the input's size" : grouped(macs)}${lacking(without.macs)}`,
    `Memory (float32): weights ${megabytes(memory.weights)}, activations of one image ${memory.activations === null ? "depend on its size" : megabytes(memory.activations)}`,
    ...(spatial === undefined
      ? []
      : [
          `Receptive field: ${spatial.receptiveField.join(" x ")} pixels at ${spatial.name}${lacking(without.receptiveField)}`,
        ]),
    ...(source === undefined ? [] : [`Source: ${source}`]),
  ].join("\n");
}

function lacking(layers: readonly string[]): string {
  return layers.length === 0 ? "" : `, without ${layers.join(", ")}`;
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
