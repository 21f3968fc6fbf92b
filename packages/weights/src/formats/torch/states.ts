import { WeightsError } from "../../weights-error.ts";
import { isComposed } from "./composed-tensor.ts";
import type { ComposedTensor } from "./composed-tensor.ts";
import { NumpyArray } from "./numpy.ts";
import { PickleObject } from "./pickle.ts";
import type { PickleValue } from "./pickle.ts";
import { StridedTensor, UnreadTensor } from "./stored-tensor.ts";

type FoundValue = StridedTensor | ComposedTensor | UnreadTensor;

/** A tensor within the pickled object. */
export interface FoundTensor {
  /** The keys that lead to it; a module's own names are one key, as in its state dict. */
  readonly path: readonly string[];
  readonly value: FoundValue;
}

const visitLimit = 300_000;
const depthLimit = 200;
const nameLimit = 1 << 26;

/**
 * All tensors within a pickled object: in dicts, lists, lists of pairs, modules and attributes of other objects. An
 * optimizer's state is left out, since it has no names.
 */
export function findTensors(file: string, root: PickleValue): FoundTensor[] {
  const found: FoundTensor[] = [];
  const within = new Set<PickleValue>();
  let [visits, letters] = [0, 0];
  const fail = (problem: string): never => {
    throw new WeightsError(file, "pickle", problem);
  };

  const walk = (value: PickleValue, path: readonly string[], inModule: boolean): void => {
    if (typeof value !== "object" || value === null) return;
    if (++visits > visitLimit) fail(`its objects hold more than ${visitLimit} others`);
    const tensor = value instanceof NumpyArray ? value.value : value;
    if (isTensor(tensor)) {
      letters += path.reduce((sum, key) => sum + key.length + 1, 0);
      if (letters > nameLimit) fail(`the names of its tensors take more than ${nameLimit} letters`);
      found.push({ path, value: tensor });
      return;
    }
    // An object that holds itself has been looked through already.
    if (within.has(value)) return;
    if (path.length > depthLimit) fail("its objects lie too deep");
    within.add(value);
    const step = (key: string): string[] =>
      inModule && path.length > 0 ? [...path.slice(0, -1), `${path.at(-1)}.${key}`] : [...path, key];
    for (const [key, part] of partsOf(value)) {
      if (part instanceof PickleObject && isModule(part) && !inModule) walkModule(part, [...path, key]);
      else walk(part, step(key), inModule);
    }
    within.delete(value);
  };

  /** Collects the tensors of a module under one key. */
  const walkModule = (module: PickleObject, path: readonly string[]): void => {
    for (const [key, part] of partsOf(module)) walk(part, [...path, key], true);
  };

  if (root instanceof PickleObject && isModule(root)) walkModule(root, []);
  else if (root instanceof StridedTensor) return [];
  else walk(root, [], false);
  return found;
}

/** Whether an object is a `torch.nn.Module`, or a module of a TorchScript archive. */
function isModule(value: PickleObject): boolean {
  return (
    value.path.startsWith("__torch__.") ||
    (value.state instanceof Map && value.state.has("_parameters") && value.state.has("_modules"))
  );
}

/** The named parts of a dict, list or object. */
function partsOf(value: PickleValue): [string, PickleValue][] {
  if (value instanceof Map) {
    const entries = value as Map<PickleValue, PickleValue>;
    if (entries.has("param_groups") && entries.has("state")) return [];
    return [...entries].flatMap(([key, part]): [string, PickleValue][] =>
      typeof key === "string" || typeof key === "number" ? [[String(key), part]] : [],
    );
  }
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isNamedTensor)) return value as [string, PickleValue][];
    return value.map((part, index) => [String(index), part]);
  }
  if (!(value instanceof PickleObject)) return [];
  if (value.state instanceof Map && value.state.has("_parameters")) return moduleParts(value.state);
  const own = [value.state, value.entries].flatMap((part) => (part instanceof Map ? partsOf(part) : []));
  // Objects with __slots__ have attributes as a pair of dicts; a named tuple has them as arguments.
  const slots = Array.isArray(value.state)
    ? value.state.flatMap((part) => (part instanceof Map ? partsOf(part) : []))
    : [];
  const rest = [...value.args, ...value.items].map((part, index): [string, PickleValue] => [String(index), part]);
  return [...own, ...slots, ...rest];
}

/** A module's parameters, buffers and modules, as in its state dict. */
function moduleParts(state: Map<PickleValue, PickleValue>): [string, PickleValue][] {
  const temporary = state.get("_non_persistent_buffers_set");
  const isKept = ([name]: [string, PickleValue]): boolean => !Array.isArray(temporary) || !temporary.includes(name);
  return [
    ...partsOf(state.get("_parameters") ?? null),
    ...partsOf(state.get("_buffers") ?? null).filter(isKept),
    ...partsOf(state.get("_modules") ?? null),
  ];
}

function isTensor(value: PickleValue | undefined): value is FoundValue {
  if (value instanceof StridedTensor || value instanceof UnreadTensor) return true;
  return typeof value === "object" && value !== null && isComposed(value);
}

function isNamedTensor(pair: PickleValue): boolean {
  return (
    Array.isArray(pair) &&
    pair.length === 2 &&
    typeof pair[0] === "string" &&
    (pair[1] instanceof NumpyArray || isTensor(pair[1]))
  );
}

/**
 * Keys under which training scripts store the state dict of a checkpoint. Averaged weights come last, since
 * checkpoints with them also hold the plain weights.
 */
const stateKeys = [
  "state_dict",
  "model_state_dict",
  "model",
  "module",
  "net",
  "network",
  "model_state",
  "weights",
  "params",
  "state_dict_ema",
  "model_ema",
  "ema_state_dict",
  "ema",
];

/**
 * The keys that lead to the state dict of a checkpoint: one that training scripts use, or the only one there is.
 * Empty if the whole object is the state dict, or if several could be it.
 */
export function statePath(found: readonly FoundTensor[]): string[] {
  const path: string[] = [];
  let inside = found;
  for (;;) {
    const depth = path.length;
    const nested = inside.filter((tensor) => tensor.path.length > depth + 1);
    const keys = [...new Set(nested.map((tensor) => tensor.path[depth]!))];
    const known = stateKeys.find((key) => keys.includes(key));
    const direct = inside.filter((tensor) => tensor.path.length === depth + 1);
    // A state dict of dicts, one for each layer, is taken as it is.
    const isFlat = nested.some((tensor) => tensor.path.at(-1)!.includes("."));
    const isOnly = keys.length === 1 && isFlat && direct.every(({ value }) => isScalar(value));
    const key = known ?? (isOnly ? keys[0] : undefined);
    if (key === undefined) return path;
    path.push(key);
    inside = nested.filter((tensor) => tensor.path[depth] === key);
  }
}

function isScalar(value: FoundValue): boolean {
  return value instanceof StridedTensor && value.shape.every((size) => size === 1);
}
