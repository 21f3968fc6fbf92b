import { nestedModel, nodeMacs, shapedNodes } from "@convkit/core/internal";
import type { ShapedNode } from "@convkit/core/internal";
import type * as tfl from "@tensorflow/tfjs-layers";
import { kindOf } from "./layer-kinds.ts";
import type { LayerKind } from "./layer-kinds.ts";
import { layerText, shapeText } from "./layer-text.ts";

type Shape = readonly (number | null)[];

/** One rectangle of the drawing: one use of a layer, or a folded block. */
export interface Box {
  readonly id: number;
  readonly kind: LayerKind;
  /** The layer's or block's name. */
  readonly name: string;
  /** The layer's class, as in saved files. */
  readonly type: string;
  /** What it computes, for example `Conv2D 3x3, 64 filters`. */
  readonly text: string;
  /** Layers after it that are drawn as its further lines, with what they compute. */
  readonly followers: readonly string[];
  readonly params: number;
  /** Multiply-adds of one image; null if they depend on an unknown size. */
  readonly macs: number | null;
  readonly outputShape: Shape;
  /** The calls of nested models that the layer is in, outermost first. */
  readonly scope: readonly NestedCall[];
  /** Two boxes of equal signature compute the same with other weights. */
  readonly signature: string;
  /** How many layers it stands for. */
  readonly layers: number;
}

/** One call of a nested model. Two calls of one model are two objects. */
export interface NestedCall {
  readonly model: string;
}

/** A tensor from a box to another. */
export interface Edge {
  readonly from: number;
  /** Which of the box's outputs. */
  readonly output: number;
  readonly to: number;
  readonly shape: string;
  /** Equal for edges of one tensor, whichever box is drawn as its source. */
  readonly tensor: string;
}

export interface BoxGraph {
  /** In the order of computation. */
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
}

interface Source {
  readonly box: number;
  readonly output: number;
  readonly shape: Shape;
}

/** A box for each use of a layer, those inside nested models included, and one for each input and output of the model. */
export function modelBoxes(model: tfl.LayersModel): BoxGraph {
  const boxes: Box[] = [];
  const edges: Edge[] = [];
  const append = (box: Omit<Box, "id">, sources: readonly Source[]): number => {
    const id = boxes.length;
    boxes.push({ id, ...box });
    for (const { box: from, output, shape } of sources) {
      edges.push({ from, output, to: id, shape: shapeText(shape), tensor: `${from}:${output}` });
    }
    return id;
  };
  const terminal = (kind: "input" | "output", name: string, outputShape: Shape): Omit<Box, "id"> => ({
    kind,
    name,
    type: kind,
    text: kind,
    followers: [],
    params: 0,
    macs: 0,
    outputShape,
    scope: [],
    layers: 0,
    signature: kind,
  });

  /** Draws a model whose inputs are these tensors, and gives its outputs. */
  const walk = (
    part: tfl.LayersModel,
    given: readonly Source[] | undefined,
    scope: readonly NestedCall[],
  ): Source[] => {
    const sources = new Map<number, Source>();
    part.inputs.forEach((input, i) => {
      const source = given?.[i];
      const [box, shape] = [
        source?.box ?? append(terminal("input", part.inputNames[i] ?? input.name, input.shape), []),
        input.shape,
      ];
      sources.set(input.id, source ?? { box, output: 0, shape });
    });
    for (const shaped of shapedNodes(
      part,
      given?.map(({ shape }) => shape),
    )) {
      const { layer, inputs, outputs } = shaped.node;
      if (inputs.length === 0) continue;
      const taken = inputs.map(({ id }) => sources.get(id) as Source);
      const nested = nestedModel(layer);
      const made =
        nested === undefined
          ? layerSources(append(layerBox(shaped, scope), taken), shaped)
          : walk(nested, taken, [...scope, { model: layer.name }]);
      outputs.forEach(({ id }, i) => sources.set(id, made[i] as Source));
    }
    return part.outputs.map(({ id }) => sources.get(id) as Source);
  };
  walk(model, undefined, []).forEach((source, i) => {
    append(terminal("output", model.outputNames[i] ?? "output", source.shape), [source]);
  });
  return { boxes, edges };
}

function layerSources(box: number, { outputShapes }: ShapedNode): Source[] {
  return outputShapes.map((shape, output) => ({ box, output, shape }));
}

function layerBox(shaped: ShapedNode, scope: readonly NestedCall[]): Omit<Box, "id"> {
  const { layer } = shaped.node;
  const outputShape = shaped.outputShapes[0] ?? [];
  const config = layer.getConfig();
  return {
    kind: kindOf(layer.getClassName()),
    name: layer.name,
    type: layer.getClassName(),
    text: layerText(layer.getClassName(), config),
    followers: [],
    params: layer.weights.reduce((sum, { shape }) => sum + shape.reduce<number>((a, b) => a * (b ?? 1), 1), 0),
    macs: nodeMacs(shaped).macs,
    outputShape,
    scope,
    signature: JSON.stringify([layer.getClassName(), shaped.inputShapes, shaped.outputShapes, config], unlikeNames),
    layers: 1,
  };
}

/** Leaves out what two layers that compute alike may differ in. */
function unlikeNames(key: string, value: unknown): unknown {
  return key === "name" || key === "seed" || key === "batchInputShape" ? undefined : value;
}
