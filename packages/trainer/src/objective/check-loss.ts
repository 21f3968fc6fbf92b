import { aboveZero, fromZero, oneOf, trueOrFalse, zeroToOne } from "@convkit/errors";
import { fieldProblems, type Fields, isRecord, namedProblems, noRecordProblem } from "../checks/fields.ts";
import { isByOutput, type Loss, lossNames, type LossOption } from "./loss.ts";
import { reductions } from "./reduction.ts";

const fields: Fields<Loss> = {
  labelSmoothing: zeroToOne,
  gamma: fromZero,
  alpha: fromZero,
  classBalancing: trueOrFalse,
  delta: aboveZero,
  margin: fromZero,
  reduction: oneOf(reductions),
};

/** One sentence for each invalid part of a loss. One that is a function is checked by `train`, on the model's own shapes. */
export function lossProblems(given: LossOption | undefined, what = "loss"): string[] {
  if (given === undefined || typeof given === "function") return [];
  if (!isRecord(given)) return [noRecordProblem(what, given)];
  if ("fn" in given)
    return fieldProblems(what, given, {
      fn: ["a function", (value: unknown) => typeof value === "function"],
      reduction: fields.reduction,
    });
  if (!isByOutput(given) || Object.keys(given).length === 0 || "name" in given)
    return namedProblems(what, given, lossNames, fields);
  return Object.entries(given).flatMap(([output, own]) =>
    Object.values(given).some((each) => typeof each === "number")
      ? namedProblems(what, given, lossNames, fields)
      : lossProblems(typeof own === "string" ? { name: own } : own, `${what}.${output}`),
  );
}
