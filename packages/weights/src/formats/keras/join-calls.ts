import type * as tfl from "@tensorflow/tfjs-layers";
import { Identity } from "../../layers/base-layers.ts";
import { Operation } from "../../operations/operation.ts";
import { WeightsError } from "../../weights-error.ts";
import { isMerge } from "./call-arguments.ts";
import { isModel } from "./config.ts";
import type { LayerCall, LayerConfig } from "./config.ts";
import { countUses } from "./count-uses.ts";
import { trainingOf } from "./import-layer.ts";
import type { Making } from "./import-layer.ts";
import { parts } from "./layer-parts.ts";
import { operationOf } from "./operations.ts";
import { withoutOwnMasks } from "./stated-mask.ts";
import { SizeValue, computedSizes, shapeValue, withSizes } from "./size-values.ts";

/** One call of a layer of a functional model. */
export interface Use {
  readonly layer: LayerConfig;
  readonly call: LayerCall;
  readonly index: number;
}

/** What a call of a layer gives: tensors, or the sizes of tensors, which Keras 2 computes by layers of their own. */
export type Result = tfl.SymbolicTensor | SizeValue;

/** How layers are made, nested models among them. */
export interface JoinMaking extends Making {
  readonly makeAny: (layer: LayerConfig) => tfl.layers.Layer;
}

/** Joins a call that may take or give sizes of tensors. */
export function joinUse(
  file: string,
  use: Use,
  inputs: readonly Result[],
  made: Map<string, tfl.layers.Layer>,
  results: Map<string, readonly Result[]>,
  making: JoinMaking,
): void {
  const { layer, call, index } = use;
  const operation = layer.className.endsWith("OpLambda") ? operationOf(layer) : undefined;
  const [first] = inputs;
  const isOfSizes = inputs.every((input) => input instanceof SizeValue);
  if (operation === "shape" || isOfSizes) {
    const found =
      operation === "shape" && first !== undefined && !(first instanceof SizeValue)
        ? [shapeValue(first.shape)]
        : computedSizes(operation ?? "", call, inputs as readonly SizeValue[]);
    const known = found?.filter((value) => value !== undefined);
    if (known === undefined || known.length < found!.length || withoutBatch.has(first!))
      throw new WeightsError(file, layer.place, "computes with sizes that are known only when the model runs");
    results.set(`${layer.name}/${index}`, known);
    return;
  }
  const tensors = inputs.filter((input): input is tfl.SymbolicTensor => !(input instanceof SizeValue));
  if (tensors.length === inputs.length) return joinCall(file, use, tensors, made, results, making);
  const calls = layer.calls.map((each) => withSizes(operation, { ...each, shape: tensors[0]!.shape }, inputs));
  const stated = call.kwargs["shape"];
  if (withoutBatch.has(tensors[0]!) && Array.isArray(stated) && stated.includes(-1))
    throw new WeightsError(file, layer.place, "infers a size of a tensor whose first axis is not the batch");
  joinCall(file, { ...use, layer: { ...layer, calls } }, tensors, made, results, making);
}

/** Applies a layer to its inputs; creates the layer at its first use. */
function joinCall(
  file: string,
  { layer, call, index }: Use,
  given: readonly tfl.SymbolicTensor[],
  made: Map<string, tfl.layers.Layer>,
  results: Map<string, readonly Result[]>,
  making: JoinMaking,
): void {
  const isNested = isModel(layer.className) && !layer.isForeign;
  const inputs = isNested ? withoutOwnMasks(layer.className, call, given) : given;
  if (inputs === undefined)
    throw new WeightsError(
      file,
      layer.place,
      "is called with a mask of its own (mask=...), which is read only where it is the mask that the input has already",
    );
  const tensors = distinct(inputs, `${layer.name}.${index}`);
  let output: tfl.SymbolicTensor | tfl.SymbolicTensor[] =
    tensors.length === 1 && !takesList(layer) ? tensors[0]! : tensors;
  const held = trainingOf(file, layer) === false;
  for (const part of parts(withShape(layer, inputs), making)) {
    const instance = made.get(part.name) ?? sharedLayer(part, making) ?? making.makeAny(part);
    making.made.set(sharedKey(part), instance);
    made.set(part.name, instance);
    countUses(file, layer.place, making, making.uses.get(instance) ?? 1);
    // tfjs stores the option with the call, and so do saved files.
    output = instance.apply(output, held ? { training: false } : undefined) as
      | tfl.SymbolicTensor
      | tfl.SymbolicTensor[];
  }
  const outputs = [output].flat();
  const last = made.get(layer.name);
  const isTurned = last instanceof Operation && turning.has(last.op);
  if (isTurned || inputs.some((input) => withoutBatch.has(input))) for (const each of outputs) withoutBatch.add(each);
  results.set(`${layer.name}/${index}`, outputs);
}

/** Tensors whose first axis is not the batch, or not the batch alone. */
const withoutBatch = new WeakSet<Result>();
const turning = new Set(
  "batchtospace moveaxis outer ravel reshape reshapelike spacetobatch swapaxes tensordot transpose".split(" "),
);

/** The layer with the shapes of its inputs in its calls; Keras 2 does not state them. */
function withShape(layer: LayerConfig, inputs: readonly tfl.SymbolicTensor[]): LayerConfig {
  const [first] = inputs;
  if (first === undefined) return layer;
  const ranks = inputs.map(({ shape }) => shape.length);
  return { ...layer, calls: layer.calls.map((call) => ({ ...call, shape: first.shape, ranks })) };
}

/**
 * If a layer takes one tensor twice (`x * x`), tfjs frees it too early. The second use goes through an Identity layer.
 */
function distinct(tensors: readonly tfl.SymbolicTensor[], name: string): tfl.SymbolicTensor[] {
  const seen = new Set<tfl.SymbolicTensor>();
  return tensors.map((tensor, index) =>
    seen.size < seen.add(tensor).size
      ? tensor
      : (new Identity({ name: `${name}.again${index}` }).apply(tensor) as tfl.SymbolicTensor),
  );
}

/** For a layer that Keras 2 marks as shared with a nested model: the layer there of the same name and configuration. */
function sharedLayer(layer: LayerConfig, options: Making): tfl.layers.Layer | undefined {
  return layer.isShared ? options.made.get(sharedKey(layer)) : undefined;
}

function sharedKey({ name, className, config }: LayerConfig): string {
  return isModel(className) ? `${className} ${name}` : JSON.stringify([name, className, config]);
}

function takesList(layer: LayerConfig): boolean {
  const isList = layer.className === "Stack" || layer.className === "Concatenate" || !/\bops\b/.test(layer.module);
  return isMerge(layer.className) && isList;
}

/** Adds the layer's place to errors that tfjs throws while it connects layers. */
export function placed(file: string, layer: LayerConfig, join: () => void): void {
  try {
    join();
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(file, layer.place, `tfjs cannot join it: ${(error as Error).message}`, { cause: error });
  }
}
