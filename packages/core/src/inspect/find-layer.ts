import { graphNodes } from "./model-graph.ts";
import { nestedModel } from "./model-graph.ts";
import type { ModelCall, Position } from "./position.ts";
import { OptionError, nearest, shown } from "@convkit/errors";
import type * as tfl from "@tensorflow/tfjs-layers";
import { positionKey } from "./evaluate.ts";

/** The output of a layer. */
export interface LayerPosition {
  /** The layer's name; in a nested model after that model's name: `backbone/conv1`. */
  readonly path: string;
  readonly layer: tfl.layers.Layer;
  readonly position: Position;
}

/** Layers with one output, in the order of computation, nested models' layers included. */
export function layerPositions(
  model: tfl.LayersModel,
  inside: readonly ModelCall[] = [],
  prefix = "",
): LayerPosition[] {
  return graphNodes(model).flatMap(({ layer, outputs }) => {
    const [tensor] = outputs;
    const nested = nestedModel(layer);
    if (tensor === undefined || outputs.length > 1) return [];
    const path = `${prefix}${layer.name}`;
    if (nested === undefined) return [{ path, layer, position: { tensor, inside } }];
    const inputs = nested.inboundNodes[tensor.nodeIndex]?.inputTensors ?? [];
    return layerPositions(nested, [...inside, { model: nested, node: tensor.nodeIndex, inputs }], `${path}/`);
  });
}

/** The layer of that path. Throws an `OptionError` that names the nearest one. */
export function findLayer(where: string, model: tfl.LayersModel, path: unknown): LayerPosition {
  const all = layerPositions(model);
  const found = all.find((each) => each.path === path);
  if (found !== undefined) return found;
  const paths = all.map((each) => each.path);
  const guess = typeof path === "string" ? nearest(path, paths) : undefined;
  const some = paths.length > 12 ? [...paths.slice(0, 6), "…", ...paths.slice(-5)] : paths;
  throw new OptionError(
    `${where}: expected the name of a layer of ${model.name}, got ${shown(path)}; there are ${some.join(", ")}.${guess === undefined ? "" : ` Did you mean "${guess}"?`}`,
  );
}

/** True for the output of a layer that is a feature map of more than one position. */
export function isMap({ layer, position }: LayerPosition): boolean {
  const { shape } = position.tensor;
  return shape.length === 4 && !(shape[1] === 1 && shape[2] === 1) && layer.getClassName() !== "InputLayer";
}

/** The feature map of that path, or the last one among `sources`. Throws an `OptionError` if it is none. */
export function findMap(
  where: string,
  model: tfl.LayersModel,
  path: unknown,
  sources: ReadonlySet<string>,
): LayerPosition {
  const found =
    path === undefined
      ? layerPositions(model).findLast((each) => isMap(each) && sources.has(positionKey(each.position)))
      : findLayer(where, model, path);
  if (found === undefined) {
    throw new OptionError(`${where}: expected a model with a feature map [n, h, w, c], ${model.name} has none.`);
  }
  if (found.position.tensor.shape.length !== 4) {
    throw new OptionError(
      `${where}: expected a layer with a feature map [n, h, w, c], ${found.path} has ${shown(found.position.tensor.shape)}.`,
    );
  }
  if (!sources.has(positionKey(found.position))) {
    throw new OptionError(`${where}: expected a layer that the output depends on, got ${shown(found.path)}.`);
  }
  return found;
}
