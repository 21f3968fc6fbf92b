import type * as tfl from "@tensorflow/tfjs-layers";
import { layerWindow } from "./layer-window.ts";
import { graphNodes } from "../model/model-graph.ts";
import type { Pair } from "../arithmetic/padding.ts";

/** The part of the image that one output pixel can depend on, and how far apart the parts of neighbours lie, in pixels. */
export interface ReceptiveField {
  readonly size: Pair;
  readonly stride: Pair;
}

/**
 * The receptive field of every layer, by name; where branches meet, the largest. Padding is not cut off, so that it may exceed
 * the image. Araujo et al. 2019, https://distill.pub/2019/computing-receptive-fields
 */
export function receptiveFields(model: tfl.LayersModel): Map<string, ReceptiveField> {
  const byTensor = new Map<number, ReceptiveField>();
  const byLayer = new Map<string, ReceptiveField>();
  for (const { layer, inputs, inputShapes, outputs } of graphNodes(model)) {
    const sources = inputs.flatMap(({ id }) => byTensor.get(id) ?? []);
    const source = sources.length === 0 ? pixel : sources.reduce(larger);
    const window = layerWindow(layer);
    const shape = inputShapes[0] ?? [];
    const field =
      window === undefined
        ? source
        : window === "all"
          ? look(source, { extent: [shape[1] ?? 1, shape.length === 4 ? (shape[2] ?? 1) : 1], stride: [1, 1] })
          : look(source, window);
    for (const output of outputs) byTensor.set(output.id, field);
    byLayer.set(layer.name, field);
  }
  return byLayer;
}

/** The receptive field of a stack of windows: `[{ kernel: 3 }, { kernel: 3 }]` sees 5 x 5. */
export function stackedReceptiveField(
  windows: readonly { readonly kernel: number; readonly stride?: number; readonly dilation?: number }[],
): { size: number; stride: number } {
  const { size, stride } = windows.reduce((field, { kernel, stride = 1, dilation = 1 }) => {
    const extent = (kernel - 1) * dilation + 1;
    return look(field, { extent: [extent, extent], stride: [stride, stride] });
  }, pixel);
  return { size: size[0], stride: stride[0] };
}

const pixel: ReceptiveField = { size: [1, 1], stride: [1, 1] };

function look({ size, stride }: ReceptiveField, window: { extent: Pair; stride: Pair }): ReceptiveField {
  return {
    size: [size[0] + (window.extent[0] - 1) * stride[0], size[1] + (window.extent[1] - 1) * stride[1]],
    stride: [stride[0] * window.stride[0], stride[1] * window.stride[1]],
  };
}

function larger(a: ReceptiveField, b: ReceptiveField): ReceptiveField {
  return {
    size: [Math.max(a.size[0], b.size[0]), Math.max(a.size[1], b.size[1])],
    stride: [Math.max(a.stride[0], b.stride[0]), Math.max(a.stride[1], b.stride[1])],
  };
}
