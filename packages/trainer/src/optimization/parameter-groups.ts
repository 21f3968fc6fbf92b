import { depthGroups } from "@convkit/core/internal";
import type { VariableOptions } from "@convkit/core";
import { shown } from "@convkit/errors";
import type * as tf from "@tensorflow/tfjs-core";
import type { layers, LayersModel, LayerVariable } from "@tensorflow/tfjs-layers";
import { isModel } from "../model/named-weights.ts";
import { weightPaths } from "../model/weight-paths.ts";
import { TrainerError } from "../trainer-error.ts";

/** Weights with a learning rate or a decay of their own. */
export interface ParameterGroup {
  /**
   * Which weights: patterns of their paths, in which `*` stands for any text (`"head*"`), or a function of the path
   * (`"layer/kernel"`, after the names of nested models) and the shape. A weight belongs to the first group that it matches.
   */
  readonly match: string | readonly string[] | ((path: string, shape: readonly number[]) => boolean);
  /** Factor on the learning rate; 1 by default, 0 keeps the weights still. */
  readonly rateFactor?: number | undefined;
  /** Decay of all these weights, biases and norms too; by default as the optimizer says. */
  readonly weightDecay?: number | undefined;
}

/** Learning rates that fall from the head to the stem. */
export interface LayerDecay {
  /** The factor from one group of layers to the one before it, such as 0.75; the head has the whole rate. */
  readonly factor: number;
  /** The smallest factor; 0 by default. */
  readonly minimum?: number | undefined;
  /**
   * Regular expressions that order the weights' paths, as timm's group matchers do: by the place of the first expression that
   * matches, then by the numbers that it captures (a missing one counts as 0); what matches none belongs to the head. By default
   * the network's graph decides: the stem, each block with branches and what leads to it, the head.
   */
  readonly layers?: readonly string[] | undefined;
}

/** The parts of an optimizer's configuration that say what each weight gets. */
export interface WeightRules {
  readonly weightDecay?: number | undefined;
  readonly groups?: readonly ParameterGroup[] | undefined;
  readonly layerDecay?: number | LayerDecay | undefined;
}

/**
 * The factor on the learning rate and the decay of each weight. Without a group that says otherwise, weights of one axis (biases,
 * the parameters of norms) do not decay, as in timm's `param_groups_weight_decay`. Throws `TrainerError` for a group that no weight
 * matches.
 */
export function weightRules(model: LayersModel, rules: WeightRules): Map<tf.Variable, Required<VariableOptions>> {
  const { weightDecay = 0, groups = [], layerDecay } = rules;
  const paths = weightPaths(model);
  const factors = layerDecay === undefined ? undefined : layerFactors(model, paths, layerDecay);
  const unused = new Set(groups);
  const made = new Map<tf.Variable, Required<VariableOptions>>();
  for (const [weight, path] of paths) {
    const shape = weight.shape as number[];
    const fitting = groups.filter(({ match }) => isMatched(match, path, shape));
    for (const each of fitting) unused.delete(each);
    const [group] = fitting;
    made.set(weight.read() as tf.Variable, {
      rateFactor: (group?.rateFactor ?? 1) * (factors?.get(weight) ?? 1),
      weightDecay: group?.weightDecay ?? (shape.length > 1 ? weightDecay : 0),
    });
  }
  const [lost] = unused;
  if (lost !== undefined)
    throw new TrainerError(
      `optimizer.groups: expected ${typeof lost.match === "function" ? "the function" : shown(lost.match)} to match a weight of ${model.name}, got none; its weights are ${shown([...new Set(paths.values())].slice(0, 6))} …`,
    );
  return made;
}

/** True if a path is one that `match` means. */
export function isMatched(match: ParameterGroup["match"], path: string, shape: readonly number[]): boolean {
  if (typeof match === "function") return match(path, shape);
  return [match].flat().some((pattern) => patternOf(pattern).test(path));
}

function patternOf(text: string): RegExp {
  const parts = text.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`, "u");
}

/** The factor of each weight by the depth of its layer. */
function layerFactors(
  model: LayersModel,
  paths: ReadonlyMap<LayerVariable, string>,
  given: number | LayerDecay,
): Map<LayerVariable, number> {
  const { factor, minimum = 0, layers: expressions } = typeof given === "number" ? { factor: given } : given;
  const groups = expressions === undefined ? byGraph(model) : byExpressions(paths, expressions);
  const factors = new Map<LayerVariable, number>();
  for (const [index, weights] of groups.entries())
    for (const weight of weights)
      if (!factors.has(weight)) factors.set(weight, Math.max(minimum, factor ** (groups.length - 1 - index)));
  return factors;
}

function byGraph(model: LayersModel): LayerVariable[][] {
  return depthGroups(model).map((group) => group.flatMap(weightsOf));
}

function weightsOf(layer: layers.Layer): LayerVariable[] {
  return isModel(layer) ? layer.layers.flatMap(weightsOf) : layer.weights;
}

function byExpressions(paths: ReadonlyMap<LayerVariable, string>, expressions: readonly string[]): LayerVariable[][] {
  const compiled = expressions.map((each) => new RegExp(each, "u"));
  const groups = new Map<string, { key: number[]; weights: LayerVariable[] }>();
  for (const [weight, path] of paths) {
    const place = compiled.findIndex((each) => each.test(path));
    const numbers = place === -1 ? [] : compiled[place]!.exec(path)!.slice(1);
    const key = [place === -1 ? compiled.length : place, ...numbers.map((each) => Number(each ?? 0))];
    const group = groups.get(key.join()) ?? { key, weights: [] };
    groups.set(key.join(), group);
    group.weights.push(weight);
  }
  return [...groups.values()].toSorted((a, b) => compared(a.key, b.key)).map(({ weights }) => weights);
}

/** Compares lists of numbers as Python's tuples. */
function compared(a: readonly number[], b: readonly number[]): number {
  const place = a.findIndex((value, index) => value !== b[index]);
  if (place === -1) return a.length - b.length;
  return a[place]! - (b[place] ?? Number.NEGATIVE_INFINITY);
}
