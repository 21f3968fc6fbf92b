import type * as tfl from "@tensorflow/tfjs-layers";
import type { JsonObject } from "../../../bytes/json.ts";
import { modelLayers } from "../../../model/model-layers.ts";
import type { Floats, HeldLayer, StockWeight } from "./stock-row.ts";

const stockActivationNames = new Set(
  "elu selu relu relu6 linear sigmoid hardSigmoid softplus softsign tanh softmax logSoftmax gelu mish swish".split(" "),
);

/** The layer's activation if stock tfjs lacks it. */
export function foreignActivation({ activation }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof activation === "string" && !stockActivationNames.has(activation) ? activation : undefined;
}

/** Whether a configuration has our regularizer, which stock tfjs lacks. */
export function foreignRegularizer(config: object): boolean {
  return /"class_?[nN]ame":"OrthogonalRegularizer"/.test(JSON.stringify(config));
}

/** What the writer needs to know of a layer. */
export function heldLayer(layer: tfl.layers.Layer, fileConfig: JsonObject, masked: boolean): HeldLayer {
  const weights = new Map(
    layer.weights.map((variable): [string, StockWeight] => {
      const name = variable.originalName.split("/").at(-1)!;
      const read = () => variable.read().dataSync() as Floats;
      return [name, { name, shape: variable.shape as number[], read }];
    }),
  );
  const config = layer.getConfig() as HeldLayer["config"];
  const nodes = layer.inboundNodes;
  const inputs = joined(nodes.map(({ inputShapes }) => shapesOf(inputShapes)));
  const [output = []] = joined(nodes.map(({ outputShapes }) => shapesOf(outputShapes)));
  return {
    layer,
    config,
    fileConfig: foreignRegularizer(fileConfig) ? withoutRegularizer(fileConfig) : fileConfig,
    inputs,
    output,
    masked,
    weight: (name) => weights.get(name),
  };
}

/** Whether a model has a layer that masks steps of sequences. */
export function hasMasks(model: tfl.LayersModel): boolean {
  return modelLayers(model).some(({ layer }) => {
    const { maskZero } = layer as { maskZero?: boolean };
    return layer.getClassName() === "Masking" || maskZero === true;
  });
}

/** The shapes of a call's inputs or outputs: tfjs has one shape or a list. */
export function shapesOf(shapes: unknown): tfl.Shape[] {
  const list = shapes as tfl.Shape | tfl.Shape[];
  return Array.isArray(list[0]) ? (list as tfl.Shape[]) : [list as tfl.Shape];
}

/** The shapes of several calls; sizes that differ are null. */
function joined(calls: readonly tfl.Shape[][]): tfl.Shape[] {
  const [first = [], ...others] = calls;
  return first.map((shape, index) =>
    shape.map((size, axis) => (others.every((call) => call[index]?.[axis] === size) ? size : null)),
  );
}

/** A regularizer changes nothing in prediction. */
function withoutRegularizer(config: JsonObject): JsonObject {
  const entries = Object.entries(config).map(([key, value]) => [
    key,
    key.endsWith("_regularizer") && foreignRegularizer({ value }) ? null : value,
  ]);
  return Object.fromEntries(entries) as JsonObject;
}
