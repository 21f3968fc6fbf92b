import { OptionError, shown } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import { checkModel } from "../model/check-model.ts";
import type { Pair } from "../arithmetic/padding.ts";
import { layerWindow } from "./layer-window.ts";
import { nestedModel } from "./model-graph.ts";
import { shapedNodes } from "./nested-nodes.ts";
import type { ShapedNode } from "./nested-nodes.ts";

/**
 * The part of the image that one output pixel can depend on, and the distance between the parts of neighboring pixels,
 * in pixels.
 */
export interface ReceptiveField {
  /** Height and width; Infinity if it is all of an image of any size. */
  readonly size: Pair;
  readonly stride: Pair;
  /** Names of the earlier layers with unknown windows, which make `size` too small; missing if all are known. */
  readonly without?: readonly string[];
}

/**
 * The receptive field of every layer, by name: the largest one if branches meet or a layer is used several times.
 * Padding is included, so the field may exceed the image. Araujo et al. 2019, https://distill.pub/2019/computing-
 * receptive-fields
 */
export function receptiveFields(model: tfl.LayersModel): Map<string, ReceptiveField> {
  checkModel("receptiveFields", model);
  const byLayer = new Map<string, ReceptiveField>();
  for (const { node, field } of nodeFields(shapedNodes(model), new Map())) {
    const before = byLayer.get(node.node.layer.name);
    byLayer.set(node.node.layer.name, before === undefined ? field : largest([before, field]));
  }
  return byLayer;
}

/** The receptive field after each node. `byTensor` contains the fields of the inputs; the function adds the others. */
export function nodeFields(
  nodes: readonly ShapedNode[],
  byTensor: Map<number, ReceptiveField>,
): { node: ShapedNode; field: ReceptiveField }[] {
  return nodes.map((node) => {
    const { inputs, outputs } = node.node;
    const sources = inputs.map(({ id }) => byTensor.get(id) ?? pixel);
    const nested = nestedModel(node.node.layer);
    if (nested === undefined) {
      const given =
        inputs.length === 0 ? (byTensor.get((outputs[0] as tfl.SymbolicTensor).id) ?? pixel) : largest(sources);
      const field = throughLayer(given, node);
      for (const { id } of outputs) byTensor.set(id, field);
      return { node, field };
    }
    const inside = new Map(nested.inputs.map(({ id }, i) => [id, sources[i] ?? pixel]));
    nodeFields(shapedNodes(nested, node.inputShapes), inside);
    const fields = nested.outputs.map(({ id }) => inside.get(id) ?? pixel);
    outputs.forEach(({ id }, i) => byTensor.set(id, fields[i] ?? pixel));
    return { node, field: largest(fields) };
  });
}

/** The receptive field of a stack of windows: `[{ kernel: 3 }, { kernel: 3 }]` sees 5 x 5. */
export function stackedReceptiveField(
  windows: readonly {
    readonly kernel: number;
    /** Pixels between two positions of the window; 1 by default. */
    readonly stride?: number | undefined;
    /** Pixels between two taps of the window; 1 by default. */
    readonly dilation?: number | undefined;
  }[],
): { size: number; stride: number } {
  const { size, stride } = windows.reduce((field, { kernel, stride = 1, dilation = 1 }) => {
    if (![kernel, stride, dilation].every((value) => Number.isInteger(value) && value > 0)) {
      throw new OptionError(
        `stackedReceptiveField: expected kernel, stride and dilation as whole numbers from 1 on, got ${[kernel, stride, dilation].map(shown).join(", ")}.`,
      );
    }
    const extent = (kernel - 1) * dilation + 1;
    return look(field, { extent: [extent, extent], stride: [stride, stride] });
  }, pixel);
  return { size: size[0], stride: stride[0] };
}

const pixel: ReceptiveField = { size: [1, 1], stride: [1, 1] };

function throughLayer(
  source: ReceptiveField,
  { node: { layer }, inputShapes, outputShapes }: ShapedNode,
): ReceptiveField {
  const [input = [], output = []] = [inputShapes[0], outputShapes[0]];
  const window = layerWindow(layer);
  if (window === undefined) {
    // A layer on lists cannot enlarge the field: a list depends on the whole map.
    return input.length < 3 ? source : { ...source, without: [...(source.without ?? []), layer.name] };
  }
  const mixes = layer.getClassName() === "Reshape" && spatial(input) !== spatial(output);
  if (window === "all" || mixes) {
    return input.length < 3 ? source : look(source, { extent: extentOf(input), stride: [1, 1] });
  }
  return window === "pixel" ? source : look(source, window);
}

function extentOf(shape: readonly (number | null)[]): Pair {
  const along = (size: number | null | undefined): number => size ?? Number.POSITIVE_INFINITY;
  return [along(shape[1]), shape.length === 4 ? along(shape[2]) : 1];
}

function spatial(shape: readonly (number | null)[]): string {
  const sizes = shape.slice(1, -1);
  return sizes.every((size) => size === 1) ? "" : String(sizes);
}

function look(
  { size, stride, ...rest }: ReceptiveField,
  window: { readonly extent: Pair; readonly stride: Pair },
): ReceptiveField {
  return {
    size: [size[0] + (window.extent[0] - 1) * stride[0], size[1] + (window.extent[1] - 1) * stride[1]],
    stride: [stride[0] * window.stride[0], stride[1] * window.stride[1]],
    ...rest,
  };
}

function largest(fields: readonly ReceptiveField[]): ReceptiveField {
  const without = [...new Set(fields.flatMap((field) => field.without ?? []))];
  const along = (of: (field: ReceptiveField) => Pair): Pair => [
    Math.max(...fields.map((field) => of(field)[0])),
    Math.max(...fields.map((field) => of(field)[1])),
  ];
  return {
    size: along(({ size }) => size),
    stride: along(({ stride }) => stride),
    ...(without.length === 0 ? {} : { without }),
  };
}
