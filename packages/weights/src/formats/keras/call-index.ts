import { isModel } from "./config.ts";
import type { LayerConfig, ModelConfig, TensorReference } from "./config.ts";

/** Where a file refers to the output of a call: among the arguments of a later call, or as an output of the model. */
export type ReferencePlace = "argument" | "output";

/** The number of the first call of a nested model, for each place. */
type FirstCall = Readonly<Record<ReferencePlace, 0 | 1>>;

/**
 * Returns a function that gives the call a reference means, counted from 0. For a nested model, formats count from 0
 * or from 1: Keras 2 and tfjs from 1, since making the model counts as a call; Keras 3 from 0 in arguments, and from 1
 * in the outputs if the model is functional. Other writers differ, so the first way of counting that fits all
 * references of the file is used.
 */
export function callCounter(model: ModelConfig): (reference: TensorReference, place: ReferencePlace) => number {
  const firsts = new Map(
    model.layers
      .filter(({ className, isForeign }) => isModel(className) && !isForeign)
      .map((layer) => [layer.name, firstCall(model, layer)]),
  );
  return ({ layer, call }, place) => call - (firsts.get(layer)?.[place] ?? 0);
}

function firstCall(model: ModelConfig, layer: LayerConfig): FirstCall {
  const callsNamed = (references: readonly TensorReference[]): number[] =>
    references.flatMap((reference) => (reference.layer === layer.name ? [reference.call] : []));
  const arguments_ = callsNamed(model.layers.flatMap(({ calls }) => calls.flatMap(({ inputs }) => inputs)));
  const outputs = callsNamed(model.outputs);
  const fits = ({ argument, output }: FirstCall): boolean => {
    const named = [...arguments_.map((call) => call - argument), ...outputs.map((call) => call - output)];
    const inRange = named.every((call) => call >= 0 && call < layer.calls.length);
    return inRange && new Set(named).size === layer.calls.length;
  };
  const order = likely(model.isKeras3, layer);
  return order.find(fits) ?? order[0]!;
}

/** All ways to count calls; the format's own comes first. */
function likely(isKeras3: boolean, { className, config }: LayerConfig): FirstCall[] {
  const rows = config["layers"];
  const first = Array.isArray(rows) ? (rows[0] as { class_name?: unknown } | undefined) : undefined;
  const isFunctional = className !== "Sequential";
  const zero: FirstCall = { argument: 0, output: 0 };
  const one: FirstCall = { argument: 1, output: 1 };
  const mixed: FirstCall = { argument: 0, output: 1 };
  const odd: FirstCall = { argument: 1, output: 0 };
  if (isKeras3) return isFunctional ? [mixed, zero, one, odd] : [zero, one, mixed, odd];
  return isFunctional || first?.class_name === "InputLayer" ? [one, mixed, zero, odd] : [zero, one, mixed, odd];
}
