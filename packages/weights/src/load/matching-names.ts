import type { NamedTensor } from "../bytes/named-tensor.ts";

/** A name that a network needs, and the shape of its tensor. */
interface Wanted {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface MatchedNames {
  /** What stands before the network's names in the file: `module.` of DataParallel, `model.` of a trainer. */
  readonly prefix: string;
  /** The tensors by the network's names; also other tensors of that prefix. */
  readonly tensors: Map<string, NamedTensor>;
  /** Tensors outside the network: of other parts of a checkpoint, or averaged weights. */
  readonly outside: readonly NamedTensor[];
  /** Whether each wanted name was found. */
  readonly isWhole: boolean;
  /** Several parts of the file that fit equally well. */
  readonly rivals: readonly string[];
}

/** Parts of a checkpoint that hold copies of the weights, not the weights that were trained. */
const copies = /(^|[._])(ema|averaged?|avg|swa|shadow|teacher|target|momentum|key|k)(?=[._]|$)/i;

/**
 * Finds a network's names among the names of a file, which may all begin with a prefix: that of the only part with every
 * name, or, of several such parts, that of the one that is no average of another. The head may lie outside of the
 * prefix.
 */
export function matchNames(wanted: readonly Wanted[], tensors: readonly NamedTensor[]): MatchedNames {
  const shapes = new Map(wanted.map(({ name, shape }) => [name, String(shape)]));
  // How many of the names each prefix gives, and how many of those with the right shape.
  const counts = new Map<string, { names: number; fitting: number }>();
  for (const { name, shape } of tensors) {
    for (let at = 0; at !== -1; at = nextPart(name, at)) {
      const expected = shapes.get(name.slice(at));
      if (expected === undefined) continue;
      const count = counts.get(name.slice(0, at)) ?? { names: 0, fitting: 0 };
      count.names++;
      if (expected === String(shape)) count.fitting++;
      counts.set(name.slice(0, at), count);
    }
  }
  const whole = [...counts].filter(([, { fitting }]) => fitting === wanted.length).map(([prefix]) => prefix);
  const trained = whole.filter((prefix) => !copies.test(prefix));
  const outermost = whole.includes("") ? [""] : trained.length > 0 ? trained : whole;
  if (outermost.length > 1) return { ...underPrefix("", tensors), isWhole: false, rivals: outermost };
  if (outermost.length === 1) {
    const copied = whole.filter((prefix) => !outermost[0]!.startsWith(prefix));
    return { ...underPrefix(outermost[0]!, tensors, copied), isWhole: true, rivals: [] };
  }
  // The most names, and of equals the shortest prefix.
  const [best = ""] = [...counts]
    .toSorted(([a, left], [b, right]) => right.names - left.names || a.length - b.length)
    .map(([prefix]) => prefix);
  const found = underPrefix(best, tensors);
  // Under another name in front, as `head.fc.weight` beside `backbone.conv1.weight`, if only one tensor could be meant.
  const missing = wanted.filter(({ name }) => !found.tensors.has(name));
  const head = missing.flatMap(({ name, shape }) => {
    const fitting = found.outside.filter((other) => String(other.shape) === String(shape) && !copies.test(other.name));
    const [exact] = fitting.filter((other) => other.name === name);
    const under = fitting.filter((other) => other.name.endsWith(`.${name}`));
    const tensor = exact ?? (under.length === 1 ? under[0] : undefined);
    return tensor === undefined ? [] : [{ name, tensor }];
  });
  for (const { name, tensor } of head) found.tensors.set(name, tensor);
  return {
    ...found,
    outside: found.outside.filter((other) => !head.some(({ tensor }) => tensor === other)),
    isWhole: wanted.every(({ name, shape }) => String(found.tensors.get(name)?.shape) === String(shape)),
    rivals: [],
  };
}

/** The place after the next dot. */
function nextPart(name: string, from: number): number {
  const dot = name.indexOf(".", from);
  return dot === -1 ? -1 : dot + 1;
}

function underPrefix(
  prefix: string,
  all: readonly NamedTensor[],
  without: readonly string[] = [],
): Pick<MatchedNames, "prefix" | "tensors" | "outside"> & { readonly outside: NamedTensor[] } {
  const tensors = new Map<string, NamedTensor>();
  const outside: NamedTensor[] = [];
  for (const tensor of all) {
    const isInside = tensor.name.startsWith(prefix) && !without.some((other) => tensor.name.startsWith(other));
    if (isInside) tensors.set(tensor.name.slice(prefix.length), tensor);
    else outside.push(tensor);
  }
  return { prefix, tensors, outside };
}
