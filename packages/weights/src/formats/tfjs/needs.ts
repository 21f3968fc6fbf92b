import type * as tfl from "@tensorflow/tfjs-layers";
import { modelLayers } from "../../model/model-layers.ts";
import { userPrefix } from "../../layers/activations.ts";
import { isKnownLayer } from "../../layers/register.ts";
import { foreignActivation, foreignRegularizer, hasMasks, heldLayer } from "./stock/held-layer.ts";
import { lackingInStock } from "./stock/table.ts";

/**
 * What a layers model needs of a program that loads it, beside stock tfjs: layer classes, options, activations and
 * regularizers. Empty if stock tfjs gives the same numbers.
 */
export function neededBeyondStock(model: tfl.LayersModel): string[] {
  const needs = new Set<string>();
  const masked = hasMasks(model);
  const note = (layer: tfl.layers.Layer): void => {
    if (layer.getClassName() === "InputLayer") return;
    const held = heldLayer(layer, {}, masked);
    const lacking = lackingInStock(held);
    if (lacking !== undefined) needs.add(isKnownLayer(layer) ? lacking : `your class ${lacking}`);
    const activation = foreignActivation(held.config);
    if (activation !== undefined) needs.add(activationText(activation));
    if (foreignRegularizer(held.config)) needs.add("OrthogonalRegularizer");
    // Layers within TimeDistributed and Bidirectional.
    const { layer: inner, forwardLayer } = layer as { layer?: tfl.layers.Layer; forwardLayer?: tfl.layers.Layer };
    for (const each of [inner, forwardLayer]) if (each !== undefined) note(each);
  };
  for (const { layer } of modelLayers(model)) note(layer);
  const names = model.weights.map(({ originalName }) => originalName);
  if (new Set(names).size < names.length) needs.add("weights of one name");
  if (model.inputs.some(({ sourceLayer }) => sourceLayer.outboundNodes.length === 0))
    needs.add("inputs that no layer takes");
  return [...needs].toSorted();
}

function activationText(activation: string): string {
  return activation.startsWith(userPrefix)
    ? `your activation ${activation.slice(userPrefix.length)}`
    : `the activation ${activation}`;
}
