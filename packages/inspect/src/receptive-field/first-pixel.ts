import { layerOutput, layerWindow } from "@convkit/core";
import type { Pair } from "@convkit/core";
import { nestedModel, padsOf, shapedNodes } from "@convkit/core/internal";
import type { Shape, ShapedNode } from "@convkit/core/internal";
import type * as tfl from "@tensorflow/tfjs-layers";

/** Where the field of a layer's position (0, 0) starts, and how far the next position's field is, in pixels of the image. */
interface Start {
  readonly first: Pair;
  readonly stride: Pair;
}

/**
 * Row and column of the image where the receptive field of a layer's position (0, 0) starts: negative where it starts in
 * the padding. The smallest one where branches meet. Undefined behind layers whose padding is not known, and behind
 * layers that enlarge the map.
 */
export function firstPixel(model: tfl.LayersModel, inputShape: Shape, layer: string): Pair | undefined {
  const starts = new Map<number, Start | undefined>(
    model.inputs.map(({ id }) => [id, { first: [0, 0], stride: [1, 1] }]),
  );
  walk(shapedNodes(model, [inputShape]), starts);
  return starts.get(layerOutput(model, layer).id)?.first;
}

function walk(nodes: readonly ShapedNode[], starts: Map<number, Start | undefined>): void {
  for (const shaped of nodes) {
    const { layer, inputs, outputs } = shaped.node;
    if (inputs.length === 0) continue;
    const sources = inputs.map(({ id }) => starts.get(id));
    const nested = nestedModel(layer);
    if (nested === undefined) {
      const source = smallest(sources);
      const start = source === undefined ? undefined : through(source, shaped);
      for (const { id } of outputs) starts.set(id, start);
      continue;
    }
    const inside = new Map(nested.inputs.map(({ id }, i) => [id, sources[i]]));
    walk(shapedNodes(nested, shaped.inputShapes), inside);
    nested.outputs.forEach(({ id }, i) => starts.set((outputs[i] as tfl.SymbolicTensor).id, inside.get(id)));
  }
}

function through({ first, stride }: Start, { node: { layer }, inputShapes }: ShapedNode): Start | undefined {
  const config = layer.getConfig();
  const moved = (rows: number, columns: number, by: Pair = [1, 1]): Start => ({
    first: [first[0] + rows * stride[0], first[1] + columns * stride[1]],
    stride: [stride[0] * by[0], stride[1] * by[1]],
  });
  const type = layer.getClassName();
  if (type === "ZeroPadding2D" || type === "Cropping2D") {
    const sides = config[type === "ZeroPadding2D" ? "padding" : "cropping"] as unknown as [Pair, Pair];
    const sign = type === "ZeroPadding2D" ? -1 : 1;
    return moved(sign * sides[0][0], sign * sides[1][0]);
  }
  const window = layerWindow(layer);
  if (window === "pixel") return { first, stride };
  if (window === undefined || window === "all" || window.stride.some((step) => step < 1)) return undefined;
  const { padding } = config;
  if (Array.isArray(padding)) {
    const pads = padding as unknown as [Pair, Pair];
    return moved(-pads[0][0], -pads[1][0], window.stride);
  }
  if (padding === "valid") return moved(0, 0, window.stride);
  const [, height, width] = inputShapes[0] ?? [];
  if (padding !== "same" || height == null || width == null) return undefined;
  // A window of `extent` pixels stands for a dilated kernel, too.
  const pads = padsOf("same", [height, width], window.extent, window.stride);
  return moved(-pads[0][0], -pads[1][0], window.stride);
}

function smallest(sources: readonly (Start | undefined)[]): Start | undefined {
  const [one] = sources;
  if (one === undefined || sources.includes(undefined)) return undefined;
  const along = (axis: 0 | 1): number => Math.min(...sources.map((source) => (source as Start).first[axis]));
  return { first: [along(0), along(1)], stride: one.stride };
}
