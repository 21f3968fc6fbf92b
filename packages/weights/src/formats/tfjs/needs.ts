import type * as tfl from "@tensorflow/tfjs-layers";
import { isStockLayer } from "../../layers/register.ts";
import { modelLayers } from "../../model/model-layers.ts";

const stockActivations = new Set(
  "elu selu relu relu6 linear sigmoid hardSigmoid softplus softsign tanh softmax logSoftmax gelu mish swish".split(" "),
);

type Config = Readonly<Record<string, unknown>>;

/** Options of layers with stock names that stock tfjs ignores or computes otherwise. */
const beyondStock: Readonly<Record<string, (config: Config, rank: number) => string | undefined>> = {
  Conv2D: ({ groups }) => (Number(groups ?? 1) > 1 ? "groups" : undefined),
  GlobalAveragePooling2D: ({ keepdims }) => (keepdims === true ? "keepdims" : undefined),
  BatchNormalization: ({ axis }, rank) => (axis !== -1 && axis !== rank - 1 ? `axis ${String(axis)}` : undefined),
  Reshape: ({ targetShape }) =>
    (targetShape as readonly (number | null)[]).some((size) => size === null || size < 0)
      ? "a size that it infers"
      : undefined,
};

/**
 * What a layers model needs of a program that loads it, beside stock tfjs: layer classes, options, activations and
 * regularizers. Empty if stock tfjs gives the same numbers.
 */
export function neededBeyondStock(model: tfl.LayersModel): string[] {
  const needs = new Set<string>();
  const note = (layer: tfl.layers.Layer): void => {
    const className = layer.getClassName();
    if (className === "InputLayer") return;
    const config = layer.getConfig() as Config;
    if (!isStockLayer(layer)) needs.add(className);
    const rank = [layer.inboundNodes[0]?.inputShapes[0]].flat().length;
    const option = Object.hasOwn(beyondStock, className) ? beyondStock[className]!(config, rank) : undefined;
    if (option !== undefined) needs.add(`${className} with ${option}`);
    const { activation } = config;
    if (typeof activation === "string" && !stockActivations.has(activation)) needs.add(`the activation ${activation}`);
    if (JSON.stringify(config).includes('"className":"OrthogonalRegularizer"')) needs.add("OrthogonalRegularizer");
    // Layers within TimeDistributed and Bidirectional.
    const { layer: held, forwardLayer } = layer as { layer?: tfl.layers.Layer; forwardLayer?: tfl.layers.Layer };
    for (const inner of [held, forwardLayer]) if (inner !== undefined) note(inner);
  };
  for (const { layer } of modelLayers(model)) note(layer);
  const names = model.weights.map(({ originalName }) => originalName);
  if (new Set(names).size < names.length) needs.add("weights of one name");
  if (model.inputs.some(({ sourceLayer }) => sourceLayer.outboundNodes.length === 0))
    needs.add("inputs that no layer takes");
  return [...needs].toSorted();
}
