import { aboveZero, belowOne, type ValueRule, fromZero, trueOrFalse, wholeFromOne, zeroToOne } from "@convkit/errors";
import { fieldProblems, type Fields, isRecord, namedProblems, valueProblems } from "../checks/fields.ts";
import { type OptimizerConfig, optimizerNames, optimizerOptions } from "./optimizer-config.ts";
import type { AdaptiveClip } from "./clipping.ts";
import type { LayerDecay, ParameterGroup } from "./parameter-groups.ts";

const isText = (value: unknown) => typeof value === "string" && value !== "";

const patterns: ValueRule = [
  'a pattern such as "head*", or a list of patterns',
  (value) => isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)),
];

const match: ValueRule = [
  'a pattern such as "head*", a list of patterns, or a function',
  (value) => typeof value === "function" || patterns[1](value),
];

const expressions: ValueRule = [
  "a list of regular expressions",
  (value) => Array.isArray(value) && value.every((each) => isText(each) && isExpression(each as string)),
];

function isExpression(text: string): boolean {
  try {
    return new RegExp(text, "u") instanceof RegExp;
  } catch {
    return false;
  }
}

const whole = (value: unknown) => isRecord(value);
const anObject: ValueRule = ["an object of options", whole];

const fields: Fields<OptimizerConfig> = {
  learningRate: fromZero,
  momentum: zeroToOne,
  beta1: belowOne,
  beta2: belowOne,
  rho: belowOne,
  epsilon: fromZero,
  centered: trueOrFalse,
  amsgrad: trueOrFalse,
  initialAccumulator: fromZero,
  learningRatePower: ["a number up to 0", (value) => typeof value === "number" && Number.isFinite(value) && value <= 0],
  l1: fromZero,
  l2: fromZero,
  l2Shrinkage: fromZero,
  beta: fromZero,
  flattenFilters: trueOrFalse,
  weightDecay: fromZero,
  clipValue: aboveZero,
  clipNorm: aboveZero,
  globalClipNorm: aboveZero,
  adaptiveClip: anObject,
  lookahead: anObject,
  groups: ["a list of groups", Array.isArray],
  layerDecay: ["a factor above 0 and up to 1, or an object of options", (value) => isFactor(value) || whole(value)],
};

function isFactor(value: unknown): boolean {
  return typeof value === "number" && value > 0 && value <= 1;
}

const adaptiveClip: Fields<AdaptiveClip> = { factor: aboveZero, epsilon: aboveZero, except: patterns };
const lookahead: Fields<NonNullable<OptimizerConfig["lookahead"]>> = { every: wholeFromOne, share: zeroToOne };
const group: Fields<ParameterGroup> = { match, rateFactor: fromZero, weightDecay: fromZero };
const layerDecay: Fields<LayerDecay> = {
  factor: ["a factor above 0 and up to 1", isFactor],
  minimum: zeroToOne,
  layers: expressions,
};

/** One sentence for each invalid part of an optimizer as plain data. */
export function optimizerProblems(given: OptimizerConfig | undefined): string[] {
  const known = optimizerNames.find((name) => name === given?.name);
  const own = known === undefined ? Object.keys(fields) : optimizerOptions(known);
  const allowed = Object.fromEntries(own.map((name) => [name, fields[name as keyof typeof fields]]));
  const problems = namedProblems("optimizer", given, optimizerNames, allowed);
  if (problems.length > 0 || given === undefined) return problems;
  const { adaptiveClip: clip, lookahead: ahead, groups = [], layerDecay: layers } = given;
  return [
    ...fieldProblems("optimizer.adaptiveClip", clip, adaptiveClip),
    ...fieldProblems("optimizer.lookahead", ahead, lookahead),
    ...groups.flatMap((each, index) => {
      const what = `optimizer.groups[${index}]`;
      const found = fieldProblems(what, each, group);
      return found.length > 0 || !isRecord(each) ? found : valueProblems(`${what}.match`, each.match, match);
    }),
    ...(typeof layers === "number" ? [] : fieldProblems("optimizer.layerDecay", layers, layerDecay)),
    ...(isRecord(layers) ? valueProblems("optimizer.layerDecay.factor", layers["factor"], layerDecay.factor) : []),
  ];
}
