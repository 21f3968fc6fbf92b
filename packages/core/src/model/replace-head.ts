import { OptionError, checkOptions, shown } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { glorotUniform, initializer, seedFor, withSeed } from "../init/initializers.ts";
import { nestedModel } from "../inspect/model-graph.ts";
import { checkModel } from "./check-model.ts";
import { checkCount } from "../layers/check-window.ts";
import { modelMetadata, setModelMetadata } from "../metadata/metadata.ts";
import { registerLayers } from "../layers/register.ts";

type SymbolicTensor = tfl.SymbolicTensor;
type Layer = tfl.layers.Layer;
type Config = ReturnType<Layer["getConfig"]>;

export interface ReplaceHeadOptions {
  /** Seed of the new layer's weights; 0 by default. */
  readonly seed?: number | undefined;
}

/**
 * The model with a classifier for other classes; it shares all weights before it, and keeps the metadata but for the classes.
 * The classifying layer starts fresh under the name `<old>_<classes>`. The layers after it (a softmax, a pool) stay; a sigmoid of
 * one output becomes a softmax of several, or the reverse. A model that ends in features gets a dense layer `head` with a
 * softmax, after an average pool where the features are maps. Outputs other than the first are dropped.
 */
export function replaceHead(
  model: tfl.LayersModel,
  classes: number,
  options: ReplaceHeadOptions = {},
): tfl.LayersModel {
  checkModel("replaceHead", model);
  checkCount(model.name, "classes", classes);
  checkOptions("replaceHead", options, { seed: true });
  const { seed = 0 } = options;
  registerLayers();
  const output = model.outputs[0] as SymbolicTensor;
  checkEnd(model, output);
  const old = classifierOf(output);
  const outputs = withSeed(seed, () =>
    old === undefined
      ? newHead(output, classes)
      : [
          classifier(old.layer, classes),
          ...old.tail.map((layer) => follower(layer, widthOf(old.layer), classes)),
        ].reduce((x, layer) => layer.apply(x) as SymbolicTensor, old.input),
  );
  const { classes: _classes, thresholds: _thresholds, outputWeights: _weights, ...metadata } = modelMetadata(model);
  return setModelMetadata(tfjs.model({ inputs: model.inputs, outputs, name: model.name }), metadata);
}

/**
 * What a model's classifying layer takes: its features. Of a model without one, the model's own output. Throws an `OptionError`
 * where the classifier is inside a nested model.
 */
export function headInput(model: tfl.LayersModel): SymbolicTensor {
  const output = model.outputs[0] as SymbolicTensor;
  const nested = nestedModel(output.sourceLayer);
  if (nested !== undefined) {
    throw new OptionError(
      `${model.name}: expected a classifier of its own, got the nested model ${nested.name} at the end; name the layer.`,
    );
  }
  return classifierOf(output)?.input ?? output;
}

/**
 * Refuses an output that a new head would not fit: a nested model with a classifier, or features that are neither a
 * list nor a map.
 */
function checkEnd(model: tfl.LayersModel, output: SymbolicTensor): void {
  const nested = nestedModel(output.sourceLayer);
  if (nested !== undefined && classifierOf(nested.outputs[0] as SymbolicTensor) !== undefined) {
    throw new OptionError(
      `${model.name}: expected a classifier of its own, got the model ${nested.name}, which has one inside; replace the head there.`,
    );
  }
  if (output.rank !== 2 && output.rank !== 4) {
    throw new OptionError(
      `${model.name}: expected classes, features [n, c] or maps [n, h, w, c] at the end, got ${shown(output.shape)}.`,
    );
  }
}

/** The classifying layer, its input and the layers after it; undefined if the model ends in features. */
function classifierOf(output: SymbolicTensor): { layer: Layer; input: SymbolicTensor; tail: Layer[] } | undefined {
  const tail: Layer[] = [];
  for (let at = output; ;) {
    const layer = at.sourceLayer;
    const inputs = [at.inputs].flat() as SymbolicTensor[];
    const [input] = inputs;
    if (input === undefined || inputs.length > 1) return undefined;
    if (layer.weights.length > 0) {
      // The last convolution of a network without its top is not a classifier.
      const isOne =
        layer.getClassName() === "Dense" ||
        (layer.getClassName() === "Conv2D" && [layer, ...tail].some((each) => endOf(each) !== undefined));
      return isOne && output.rank === 2 ? { layer, input, tail } : undefined;
    }
    tail.unshift(layer);
    at = input;
  }
}

/** The softmax or the sigmoid at the end of a layer. */
function endOf(layer: Layer): "softmax" | "sigmoid" | undefined {
  const activation = layer.getClassName() === "Softmax" ? "softmax" : layer.getConfig()["activation"];
  return activation === "softmax" || activation === "sigmoid" ? activation : undefined;
}

function widthOf(layer: Layer): number {
  const { units, filters } = layer.getConfig();
  return (units ?? filters) as number;
}

function classifier(old: Layer, classes: number): Layer {
  const config = old.getConfig();
  const name = `${old.name}_${classes}`;
  return remade(old, {
    ...config,
    ...fittingEnd(old, widthOf(old), classes),
    ["units" in config ? "units" : "filters"]: classes,
    name,
    kernelInitializer: seeded(config["kernelInitializer"] as Config, seedFor(`${name}/kernel`)),
  });
}

function follower(layer: Layer, width: number, classes: number): Layer {
  const config = layer.getConfig();
  const end = fittingEnd(layer, width, classes);
  if (layer.getClassName() === "Softmax" && end.activation !== undefined) {
    return tfjs.activation({ name: layer.name, activation: end.activation });
  }
  const { targetShape } = config;
  // MobileNet's classes are a map of one pixel before they become a list.
  const shape = Array.isArray(targetShape) && {
    targetShape: targetShape.map((size) => (size === width ? classes : size)),
  };
  return remade(layer, { ...config, ...shape, ...end });
}

/** The new activation if the number of outputs changes from or to 1. */
function fittingEnd(layer: Layer, width: number, classes: number): { activation?: "softmax" | "sigmoid" } {
  const end = endOf(layer);
  if (classes === 1 && end === "softmax") return { activation: "sigmoid" };
  return width === 1 && classes > 1 && end === "sigmoid" ? { activation: "softmax" } : {};
}

function seeded(initial: Config, seed: number): Config {
  const config = initial["config"] as Config;
  return "seed" in config ? { ...initial, config: { ...config, seed } } : initial;
}

function remade(layer: Layer, config: Config): Layer {
  const Made = layer.constructor as unknown as { new (config: object): Layer };
  return new Made(config);
}

function newHead(features: SymbolicTensor, classes: number): SymbolicTensor {
  const flat =
    features.rank === 4
      ? (tfjs.globalAveragePooling2d({ name: "head.pool" }).apply(features) as SymbolicTensor)
      : features;
  const head = tfjs.dense({
    name: "head",
    units: classes,
    activation: classes === 1 ? "sigmoid" : "softmax",
    kernelInitializer: initializer(glorotUniform, "head/kernel"),
  });
  return head.apply(flat) as SymbolicTensor;
}
