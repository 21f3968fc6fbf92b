import { shown } from "@convkit/errors";
import { RequestError } from "../http/request-error.ts";
import { largestRank, type Tensor } from "./tensor.ts";

/**
 * Nested arrays of numbers as a tensor. `where` starts the sentence of an error. `limit` is the most values that the request can hold:
 * the sizes that the first elements promise are not believed before.
 */
export function nestedTensor(value: unknown, where: string, limit: number): Tensor {
  const shape: number[] = [];
  for (let first = value; Array.isArray(first); first = first[0]) {
    shape.push(first.length);
    if (shape.length > largestRank)
      throw new RequestError(400, `${where}: expected at most ${largestRank} levels of arrays, got more.`);
  }
  const count = shape.reduce((product, size) => product * size, 1);
  if (count > limit) throw new RequestError(400, `${where}: expected arrays of equal lengths, got ragged ones.`);
  const data = new Float32Array(count);
  let filled = 0;
  const fill = (part: unknown, axis: number): void => {
    if (axis === shape.length) {
      data[filled] = number(part, where, filled);
      filled++;
      return;
    }
    if (!Array.isArray(part) || part.length !== shape[axis])
      throw new RequestError(
        400,
        `${where}: expected arrays of equal lengths (${shape.join("x")}), got ${Array.isArray(part) ? `an array of ${part.length}` : shown(part)} at level ${axis + 1}.`,
      );
    for (const each of part) fill(each, axis + 1);
  };
  fill(value, 0);
  return { data, shape };
}

/** What arrays of any nesting hold, which must be `count` values. */
export function flatValues(value: unknown, count: number, where: string): unknown[] {
  const values: unknown[] = [];
  const fill = (part: unknown, depth: number): void => {
    if (!Array.isArray(part)) {
      if (values.length === count) throw wrongCount(where, count, "more");
      values.push(part);
      return;
    }
    if (depth === largestRank)
      throw new RequestError(400, `${where}: expected at most ${largestRank} levels of arrays, got more.`);
    for (const each of part) fill(each, depth + 1);
  };
  if (!Array.isArray(value)) throw new RequestError(400, `${where}: expected an array, got ${shown(value)}.`);
  fill(value, 0);
  if (values.length !== count) throw wrongCount(where, count, String(values.length));
  return values;
}

function wrongCount(where: string, count: number, got: string): RequestError {
  return new RequestError(400, `${where}: expected ${count} values, as the shape says, got ${got}.`);
}

/** The number at the place `index` of `where`, which is written only into an error. */
function number(value: unknown, where: string, index: number): number {
  if (typeof value === "number" && Number.isFinite(Math.fround(value))) return value;
  throw new RequestError(400, `${where}[${index}]: expected a finite float32 number, got ${shown(value)}.`);
}
