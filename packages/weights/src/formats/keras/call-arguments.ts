import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import { Slot } from "./config.ts";
import type { LayerCall, LayerConfig } from "./config.ts";

const attention =
  "query value key query_mask value_mask key_mask attention_mask return_attention_scores training use_causal_mask";
const ofList = "inputs mask training return_attention_scores use_causal_mask";
const recurrent = "sequences initial_state mask training";

/** The arguments of the calls of a class, in Python's order. Other layers take their inputs alone. */
const signatures: Readonly<Record<string, string>> = {
  AdditiveAttention: ofList,
  Attention: ofList,
  Bidirectional: recurrent,
  ConvLSTM1D: recurrent,
  ConvLSTM2D: recurrent,
  ConvLSTM3D: recurrent,
  GRU: recurrent,
  GlobalAveragePooling1D: "inputs mask",
  GroupQueryAttention: attention,
  GroupedQueryAttention: attention,
  LSTM: recurrent,
  MultiHeadAttention: attention,
  RNN: recurrent,
  SimpleRNN: recurrent,
  Softmax: "inputs mask",
  TimeDistributed: "inputs training mask",
};

/** Layers that take a list of tensors. As bare operations of Keras 3 they take two arguments. */
const merges = new Set([
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

export function isMerge(className: string): boolean {
  return merges.has(className);
}

/** A call with its tensors in the order of the class' signature. */
export interface BoundCall extends LayerCall {
  /** The argument that each input is, or is a part of. */
  readonly roles: readonly string[];
  /** The other arguments: numbers, flags and words. */
  readonly options: JsonObject;
}

/** Sorts the arguments of a layer's call by its signature; for Keras 2, a list of states after the sequence as well. */
export function boundCall(className: string, call: LayerCall): BoundCall {
  const names = (Object.hasOwn(signatures, className) ? signatures[className]! : "inputs").split(" ");
  const [first] = names as [string];
  const positional = call.args.map((value, index) => [names[index] ?? `argument ${index + 1}`, value] as const);
  const given = new Map<string, unknown>(positional);
  for (const [key, value] of Object.entries(call.kwargs))
    given.set(names.includes(key) || given.has(first) ? key : first, value);
  const sequence = given.get(first);
  if (names[1] === "initial_state" && Array.isArray(sequence) && sequence.length > 1) {
    given.set(first, sequence[0]);
    given.set("initial_state", sequence.slice(1));
  }
  const order = [...names, ...[...given.keys()].filter((name) => !names.includes(name))];
  const roles: string[] = [];
  const inputs: LayerCall["inputs"][number][] = [];
  const options: Record<string, unknown> = {};
  for (const name of order) {
    // A TimeDistributed gives the mask to layers that take one; the layers known here take none. Batch normalization
    // uses it in training alone, where masked steps count here.
    if (name === "mask" && (className === "TimeDistributed" || className === "BatchNormalization")) continue;
    const value = given.get(name);
    const slots = slotsIn(value);
    for (const { index } of slots) {
      inputs.push(call.inputs[index]!);
      // Of a list of masks, the first is that of the query.
      roles.push(name === "mask" && Array.isArray(value) && value[0] === null ? "value_mask" : name);
    }
    if (slots.length === 0 && value !== undefined && value !== null && value !== false && name !== "training")
      options[name] = value;
  }
  return { ...call, inputs, roles, options };
}

/** What a layer's calls have besides its inputs, in one form to compare calls. */
export function sameArguments(layer: LayerConfig): boolean {
  const forms = layer.calls.map((call) => {
    const { roles, options } = boundCall(layer.className, call);
    return JSON.stringify([roles.filter((role) => role !== "inputs"), options]);
  });
  return new Set(forms).size <= 1;
}

function slotsIn(value: unknown): Slot[] {
  if (value instanceof Slot) return [value];
  if (Array.isArray(value)) return value.flatMap(slotsIn);
  return isObject(value) ? Object.values(value).flatMap(slotsIn) : [];
}
