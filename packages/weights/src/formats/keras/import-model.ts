import { checkOptions, shown } from "@convkit/errors";
import * as tfl from "@tensorflow/tfjs-layers";
import type { JsonObject } from "../../bytes/json.ts";
import { registerImportLayers } from "../../layers/register.ts";
import { Identity } from "../../layers/base-layers.ts";
import { WeightsError } from "../../weights-error.ts";
import { isKnown, makeLayer } from "./import-layer.ts";
import type { Making } from "./import-layer.ts";
import { isModel, readModel, readModelConfig } from "./config.ts";
import type { LayerCall, LayerConfig, ModelConfig, TensorReference } from "./config.ts";

export interface ImportOptions {
  /** Draw fresh weights by the layers' own initializers, instead of leaving zeros for a file's. */
  readonly fresh?: boolean | undefined;
  /** Refuse an architecture with more numbers than this in its weights: a file's own must be enough for it. */
  readonly maxNumbers?: number | undefined;
}

/**
 * A tfjs model of a Keras 2 or 3 architecture, sequential or functional, models within models too. All layers that are not known are
 * named at once, with their places.
 */
export function importModel(file: string, config: JsonObject, options: ImportOptions = {}): tfl.LayersModel {
  checkOptions("importModel", options, { fresh: true, maxNumbers: true });
  registerImportLayers();
  try {
    const { fresh = false, maxNumbers = Infinity } = options;
    return makeModel(file, readModelConfig(file, config), {
      fresh,
      left: maxNumbers,
      usesLeft: usesLimit,
      uses: new Map(),
    });
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    // Such as a nesting deeper than the engine's stack, or sizes that no memory holds.
    throw new WeightsError(file, "the architecture", `cannot be made into a model: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The largest published networks have a thousand layers. */
const usesLimit = 10_000;

/** Takes some layers or calls off the account of the whole model. */
function use(file: string, place: string, options: Making, count: number): void {
  options.usesLeft -= count;
  if (options.usesLeft < 0)
    throw new WeightsError(file, place, `the model has more than ${usesLimit} layers and calls`);
}

function makeModel(file: string, model: ModelConfig, options: Making): tfl.LayersModel {
  const before = options.usesLeft;
  use(file, `model "${model.name}"`, options, model.layers.length);
  const made = makeJoined(file, model, options);
  options.uses.set(made, before - options.usesLeft);
  return made;
}

function makeJoined(file: string, model: ModelConfig, options: Making): tfl.LayersModel {
  const unknown = model.layers.filter((layer) => !isKnown(layer));
  if (unknown.length > 0) {
    throw new WeightsError(
      file,
      unknown[0]!.place,
      `tfjs has no such layer${
        unknown.length > 1
          ? `, nor these: ${unknown
              .slice(1)
              .map(({ place }) => place)
              .join("; ")}`
          : ""
      }`,
    );
  }
  return model.kind === "Sequential" ? makeSequential(file, model, options) : makeFunctional(file, model, options);
}

function makeSequential(file: string, model: ModelConfig, options: Making): tfl.LayersModel {
  const [first] = model.layers;
  const result = tfl.sequential({ name: model.name });
  const rest = first?.className === "InputLayer" ? model.layers.slice(1) : model.layers;
  const shape = first?.className === "InputLayer" ? inputShape(file, first) : model.inputShape;
  const name = first?.className === "InputLayer" ? first.name : `${model.name}_input`;
  if (shape === undefined && !isModel(first?.className ?? "")) {
    throw new WeightsError(file, first?.place ?? "", "the model was never built: it states no input shape");
  }
  if (shape !== undefined) result.add(tfl.layers.inputLayer({ batchInputShape: anyBatch(shape), name }));
  for (const layer of rest) {
    for (const part of parts(layer)) placed(file, part, () => result.add(madeLayer(file, part, options)));
  }
  return result;
}

function makeFunctional(file: string, model: ModelConfig, options: Making): tfl.LayersModel {
  const made = new Map<string, tfl.layers.Layer>();
  const results = new Map<string, readonly tfl.SymbolicTensor[]>();
  const find = (reference: TensorReference): tfl.SymbolicTensor | undefined => {
    const calls = results.get(`${reference.layer}/${reference.call}`);
    // Keras 2 counts a nested model's own construction as its first call.
    return (
      calls ??
      (made.get(reference.layer) instanceof tfl.LayersModel
        ? results.get(`${reference.layer}/${reference.call - 1}`)
        : undefined)
    )?.[reference.output];
  };
  for (const layer of model.layers) {
    if (layer.className !== "InputLayer") continue;
    const batchShape = anyBatch(inputShape(file, layer));
    results.set(`${layer.name}/0`, [tfl.input({ batchShape, name: layer.name })]);
  }
  const uses = model.layers.flatMap((layer): Use[] =>
    layer.className === "InputLayer" ? [] : layer.calls.map((call, index) => ({ layer, call, index })),
  );
  const queue = [...uses];
  const waiting = new Map<string, Use[]>();
  for (const next of queue) {
    const { layer, call, index } = next;
    // A layer's calls are counted in their order.
    const missing =
      index > 0 && !results.has(`${layer.name}/${index - 1}`)
        ? { layer: layer.name, call: index - 1 }
        : call.inputs.find((reference) => find(reference) === undefined);
    if (missing !== undefined) {
      const key = `${missing.layer}/${missing.call}`;
      waiting.set(key, [...(waiting.get(key) ?? []), next]);
      continue;
    }
    placed(file, layer, () =>
      joinCall(file, next, call.inputs.map(find) as tfl.SymbolicTensor[], made, results, options),
    );
    // Who takes the next call of a nested model may be content with this one.
    for (const key of [`${layer.name}/${index}`, `${layer.name}/${index + 1}`]) {
      queue.push(...(waiting.get(key) ?? []));
      waiting.delete(key);
    }
  }
  const stuck = uses.find(({ layer, index }) => !results.has(`${layer.name}/${index}`));
  if (stuck !== undefined) {
    const missing = stuck.call.inputs.find((reference) => find(reference) === undefined);
    throw new WeightsError(
      file,
      stuck.layer.place,
      `takes the output of "${missing?.layer ?? stuck.layer.name}", which does not exist or depends on this layer`,
    );
  }
  const pick = (reference: TensorReference): tfl.SymbolicTensor => {
    const found = find(reference);
    if (found === undefined)
      throw new WeightsError(
        file,
        `model "${model.name}"`,
        `names "${reference.layer}" as an input or output, which does not exist`,
      );
    return found;
  };
  const [inputs, outputs] = [model.inputs.map(pick), model.outputs.map(pick)];
  return tfl.model({
    inputs: inputs.length === 1 ? inputs[0]! : inputs,
    outputs: outputs.length === 1 ? outputs[0]! : outputs,
    name: model.name,
  });
}

/** One call of a layer of a functional model. */
interface Use {
  readonly layer: LayerConfig;
  readonly call: LayerCall;
  readonly index: number;
}

/** Applies a layer, made if it is new, to what it takes. */
function joinCall(
  file: string,
  { layer, index }: Use,
  inputs: readonly tfl.SymbolicTensor[],
  made: Map<string, tfl.layers.Layer>,
  results: Map<string, readonly tfl.SymbolicTensor[]>,
  options: Making,
): void {
  const tensors = distinct(inputs, `${layer.name}.${index}`);
  let output: tfl.SymbolicTensor | tfl.SymbolicTensor[] =
    tensors.length === 1 && !takesList(layer) ? tensors[0]! : tensors;
  for (const part of parts(layer)) {
    const instance = made.get(part.name) ?? madeLayer(file, part, options);
    made.set(part.name, instance);
    use(file, layer.place, options, options.uses.get(instance) ?? 1);
    output = instance.apply(output) as tfl.SymbolicTensor | tfl.SymbolicTensor[];
  }
  results.set(`${layer.name}/${index}`, Array.isArray(output) ? output : [output]);
}

/** tfjs frees a tensor too early that a layer takes twice (`x * x`): the second time it goes through a layer of its own. */
function distinct(tensors: readonly tfl.SymbolicTensor[], name: string): tfl.SymbolicTensor[] {
  const seen = new Set<tfl.SymbolicTensor>();
  return tensors.map((tensor, index) =>
    seen.size < seen.add(tensor).size
      ? tensor
      : (new Identity({ name: `${name}.again${index}` }).apply(tensor) as tfl.SymbolicTensor),
  );
}

function parts(layer: LayerConfig): readonly LayerConfig[] {
  return layer.follower === undefined ? [layer] : [layer, layer.follower];
}

function madeLayer(file: string, layer: LayerConfig, options: Making): tfl.layers.Layer {
  if (!isModel(layer.className)) return makeLayer(file, layer, options);
  return makeModel(file, readModel(file, layer.place, { class_name: layer.className, config: layer.config }), options);
}

const listClasses = new Set([
  "Add",
  "Average",
  "Concatenate",
  "Dot",
  "Maximum",
  "Minimum",
  "Multiply",
  "Stack",
  "Stacked",
  "Subtract",
]);

function takesList(layer: LayerConfig): boolean {
  const isList = layer.className === "Stack" || layer.className === "Concatenate" || !/\bops\b/.test(layer.module);
  return listClasses.has(layer.className) && isList;
}

/** What tfjs throws while it joins layers is told with the layer's place. */
function placed(file: string, layer: LayerConfig, join: () => void): void {
  try {
    join();
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(file, layer.place, `tfjs cannot join it: ${(error as Error).message}`, { cause: error });
  }
}

function inputShape(file: string, { config, place }: LayerConfig): readonly (number | null)[] {
  const shape = config["batch_shape"] ?? config["batch_input_shape"];
  if (
    !Array.isArray(shape) ||
    shape.some((size: unknown) => size !== null && !(Number.isInteger(size) && (size as number) > 0))
  ) {
    throw new WeightsError(file, place, `expected a batch_shape, got ${shown(shape)}`);
  }
  return shape as (number | null)[];
}

function anyBatch(shape: readonly (number | null)[]): (number | null)[] {
  return [null, ...shape.slice(1)];
}
