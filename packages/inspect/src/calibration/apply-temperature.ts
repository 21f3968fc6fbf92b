import { checkModel, endOf } from "@convkit/core/internal";
import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

const linearClasses = new Set(["Dense", "Conv2D"]);

interface Activated extends tfl.layers.Layer {
  readonly activation?: { getClassName?(): string };
}

/**
 * Divides the logits of a network by a temperature for good: the weights of the layer that computes them are divided by it. No class
 * changes, only the probabilities. Changes the model itself.
 *
 * Throws an `OptionError` for a temperature that is not above 0, a model with several outputs, and one whose logits do not come
 * from a dense layer or a convolution.
 */
export function applyTemperature(model: tfl.LayersModel, temperature: number): void {
  const where = "applyTemperature";
  checkModel(where, model);
  if (!(typeof temperature === "number" && temperature > 0 && Number.isFinite(temperature))) {
    throw new OptionError(`${where}: expected temperature to be a number above 0, got ${shown(temperature)}.`);
  }
  const layer = logitLayer(where, model);
  const scaled = tf.tidy(() => layer.getWeights().map((weight) => tf.div(weight, temperature)));
  layer.setWeights(scaled);
  tf.dispose(scaled);
}

/** The layer that computes the logits, before softmax or sigmoid. */
function logitLayer(where: string, model: tfl.LayersModel): tfl.layers.Layer {
  if (model.outputs.length !== 1) {
    throw new OptionError(`${where}: expected a model with one output, ${model.name} has ${model.outputs.length}.`);
  }
  const { kind, head, base } = endOf(model.outputs[0] as tfl.SymbolicTensor);
  let layer: tfl.layers.Layer = head !== undefined && head.weights.length > 0 ? head : base.tensor.sourceLayer;
  let tensor = base.tensor;
  while (layer !== head && ["Flatten", "Reshape"].includes(layer.getClassName())) {
    const [before] = [tensor.inputs].flat() as tfl.SymbolicTensor[];
    if (before === undefined) break;
    tensor = before;
    layer = tensor.sourceLayer;
  }
  const activation = (layer as Activated).activation?.getClassName?.();
  const isLinear = linearClasses.has(layer.getClassName()) && (layer === head || activation === "linear");
  if (kind === "probabilities" || !isLinear) {
    throw new OptionError(
      `${where}: expected logits from a dense layer or a convolution, those of ${model.name} come from ${layer.name} (${layer.getClassName()}).`,
    );
  }
  return layer;
}
