import type * as tfl from "@tensorflow/tfjs-layers";
import { WeightsError } from "../../weights-error.ts";
import { converted } from "./layer-args.ts";
import { makers } from "./import-layers.ts";
import { isModel } from "./config.ts";
import type { LayerConfig } from "./config.ts";
import { operationOf, operations } from "./operations.ts";

type Layer = tfl.layers.Layer;

/** The tfjs layer of one layer of a Keras model; throws `WeightsError` naming it and its place where there is none. */
export function makeLayer(file: string, layer: LayerConfig, making: Making): Layer {
  const { name, className, config, calls, place } = layer;
  const refuse = (problem: string): never => {
    throw new WeightsError(file, place, problem);
  };
  const operation = operationOf(layer);
  const make = operation === undefined ? ownEntry(makers, className) : ownEntry(operations, operation);
  if (make === undefined)
    return refuse(`the ${operation === undefined ? `layer ${className}` : `operation ${operation}`} is not known`);
  if (config["data_format"] === "channels_first")
    return refuse("channels come first: save the model with channels last");
  try {
    const made = make({ name, args: { ...converted(config, className), name }, config, call: calls[0], refuse });
    limitWeights(made, making, refuse);
    // Weights that come from the file need no drawing.
    if (!making.fresh)
      (made as unknown as { setFastWeightInitDuringBuild(fast: boolean): void }).setFastWeightInitDuringBuild(true);
    return made;
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(file, place, `tfjs cannot make it: ${(error as Error).message}`, { cause: error });
  }
}

/** What is shared while one model is made. */
export interface Making {
  readonly fresh: boolean;
  /** How many numbers its weights may still have. */
  left: number;
  /** How many layers and calls may still follow; a call of a model counts as those within it. */
  usesLeft: number;
  readonly uses: Map<Layer, number>;
}

/** Whether there is a maker for this layer or operation. */
export function isKnown(layer: LayerConfig): boolean {
  const operation = operationOf(layer);
  if (operation !== undefined) return Object.hasOwn(operations, operation);
  return Object.hasOwn(makers, layer.className) || layer.className === "InputLayer" || isModel(layer.className);
}

/** A layer may state any size: what the file cannot fill is refused before memory is taken for it. */
function limitWeights(layer: Layer, making: Making, refuse: (problem: string) => never): void {
  const guarded = layer as unknown as {
    addWeight(name: string, shape: readonly number[], ...rest: unknown[]): tfl.LayerVariable;
  };
  const add = guarded.addWeight.bind(layer);
  guarded.addWeight = (name, shape, ...rest) => {
    const count = shape.reduce((product, size) => product * size, 1);
    if (!(count >= 0 && count <= making.left))
      refuse(`its weight "${name}" of [${shape}] is more than the file has numbers for`);
    making.left -= count;
    return add(name, shape, ...rest);
  };
}

function ownEntry<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
