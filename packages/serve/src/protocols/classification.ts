import type { Values } from "@convkit/graph";
import { RequestError } from "../http/request-error.ts";

/**
 * Triton's classification extension: the `count` largest values of each row, the largest first, as texts `value:index:label`. The label
 * is left out where the model has no names.
 */
export function largestClasses({ data, shape }: Values, count: number, labels: readonly string[]): string[][] {
  const [rows, width] = shape;
  if (shape.length !== 2) throw new RequestError(400, "classification: expected an output of the shape [n, classes].");
  return Array.from({ length: rows! }, (_, row) => {
    const own = data.subarray(row * width!, (row + 1) * width!);
    const order = Array.from(own.keys()).toSorted((a, b) => own[b]! - own[a]! || a - b);
    return order
      .slice(0, count)
      .map((index) =>
        [own[index]!.toFixed(6), index, ...(labels[index] === undefined ? [] : [labels[index]])].join(":"),
      );
  });
}

/** Texts as a binary tensor of BYTES: each with its length in front, four bytes. */
export function bytesTensor(texts: readonly string[]): Uint8Array {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}
