import { OptionError } from "@convkit/errors";
import type { Feed } from "@convkit/graph";

import type { Port } from "./session.ts";

/** Throws an OptionError unless each feed has the shape of its input, and whole numbers where the input holds them. */
export function checkFeeds(inputs: readonly Port[], feeds: readonly Feed[]): void {
  if (inputs.length !== feeds.length)
    throw new OptionError(
      `predict: expected ${inputs.length} inputs (${inputs.map(({ name }) => name).join(", ")}), got ${feeds.length}.`,
    );
  for (const [index, port] of inputs.entries()) {
    checkShape(port, feeds[index]!.shape);
    checkValues(port, feeds[index]!.data);
  }
}

function checkShape({ name, shape }: Port, found: readonly number[]): void {
  if (found.length === shape.length && shape.every((size, axis) => size === null || size === found[axis])) return;
  throw new OptionError(
    `predict: expected the shape ${shape.map((size) => size ?? "any").join("x")} for the input ${name}, got ${found.join("x")}.`,
  );
}

/** The least and the largest value of the types of whole numbers. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  bool: [0, 1],
  uint8: [0, 255],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** True for an input that would round or wrap other values without a word. */
export function holdsWholeNumbers({ type }: Port): boolean {
  return Object.hasOwn(ranges, type);
}

function checkValues(port: Port, data: Feed["data"]): void {
  if (!holdsWholeNumbers(port)) return;
  const [least, largest] = ranges[port.type]!;
  const wrong = data.find((value) => !Number.isInteger(value) || value < least || value > largest);
  if (wrong === undefined) return;
  throw new OptionError(
    `predict: expected whole numbers from ${least} to ${largest} for the input ${port.name}, which holds ${port.type}, got ${wrong}.`,
  );
}
