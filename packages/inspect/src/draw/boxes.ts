import { nestedModel, nodeMacs, shapedNodes } from "@convkit/core/internal";
import type { ShapedNode } from "@convkit/core/internal";
import type * as tfl from "@tensorflow/tfjs-layers";
import { kindOf } from "./layer-kinds.ts";
import type { LayerKind } from "./layer-kinds.ts";
import { layerText, tensorText } from "./layer-text.ts";

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
  /** How many of them no training changes, because their layer is frozen. */
  readonly frozen: number;
  /** Type of the output's numbers. */
  readonly dtype: string;
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
  readonly dtype: string;
}

/** A box for each use of a layer, those inside nested models included, and one for each input and output of the model. */
export function modelBoxes(model: tfl.LayersModel): BoxGraph {
  const boxes: Box[] = [];
  const edges: Edge[] = [];
  const append = (box: Omit<Box, "id">, sources: readonly Source[]): number => {
    const id = boxes.length;
    boxes.push({ id, ...box });
    for (const { box: from, output, shape, dtype } of sources) {
      edges.push({ from, output, to: id, shape: tensorText(shape, dtype), tensor: `${from}:${output}` });
    }
    return id;
  };
  const terminal = (kind: "input" | "output", name: string, outputShape: Shape, dtype: string): Omit<Box, "id"> => ({
    kind,
    name,
    type: kind,
    text: kind,
    followers: [],
    params: 0,
    frozen: 0,
    dtype,
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
      const { name, shape, dtype } = input;
      const box = source?.box ?? append(terminal("input", part.inputNames[i] ?? name, shape, dtype), []);
      sources.set(input.id, source ?? { box, output: 0, shape, dtype });
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
    append(terminal("output", model.outputNames[i] ?? "output", source.shape, source.dtype), [source]);
  });
  return { boxes, edges };
}

function layerSources(box: number, { node, outputShapes }: ShapedNode): Source[] {
  return outputShapes.map((shape, output) => ({ box, output, shape, dtype: node.outputs[output]?.dtype ?? "float32" }));
}

function layerBox(shaped: ShapedNode, scope: readonly NestedCall[]): Omit<Box, "id"> {
  const { layer } = shaped.node;
  const outputShape = shaped.outputShapes[0] ?? [];
  const config = layer.getConfig();
  const params = paramsOf(layer.weights);
  const frozen = layer.trainableWeights.length === 0 ? params : 0;
  const dtype = shaped.node.outputs[0]?.dtype ?? "float32";
  return {
    kind: kindOf(layer.getClassName()),
    name: layer.name,
    type: layer.getClassName(),
    text: layerText(layer.getClassName(), config),
    followers: [],
    params,
    frozen,
    dtype,
    macs: nodeMacs(shaped).macs,
    outputShape,
    scope,
    signature: JSON.stringify(
      [layer.getClassName(), shaped.inputShapes, shaped.outputShapes, config, frozen, dtype],
      unlikeNames,
    ),
    layers: 1,
  };
}

function paramsOf(weights: readonly tfl.LayerVariable[]): number {
  return weights.reduce((sum, { shape }) => sum + shape.reduce<number>((a, b) => a * (b ?? 1), 1), 0);
}

/** Leaves out what two layers that compute alike may differ in. */
function unlikeNames(key: string, value: unknown): unknown {
  return key === "name" || key === "seed" || key === "batchInputShape" ? undefined : value;
}
