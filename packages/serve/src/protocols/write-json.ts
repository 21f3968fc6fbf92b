import { RequestError } from "../http/request-error.ts";
import type { Tensor } from "./tensor.ts";

/** A tensor of an answer, and its name. */
export interface NamedOutput extends Tensor {
  readonly name: string;
}

/** An answer that is still to be written as JSON: plain values, and tensors of numbers. */
export type Unwritten =
  | { readonly kind: "predictions" | "outputs"; readonly tensors: readonly NamedOutput[] }
  | {
      readonly kind: "infer";
      /** The answer without its outputs. */
      readonly head: object;
      /** Each output without its data, and the data where they are JSON. */
      readonly outputs: readonly { readonly head: object; readonly tensor?: Tensor | undefined }[];
    };

/** Writes an answer as JSON. Throws a 500 for numbers that are not finite, which JSON cannot hold. */
export function writeJson(unwritten: Unwritten): string {
  if (unwritten.kind === "infer") return inferJson(unwritten);
  const { kind, tensors } = unwritten;
  for (const { data } of tensors) checkFinite(data, "");
  const [only, ...others] = tensors;
  if (others.length === 0) return `{"${kind}":${nestedJson(only!)}}`;
  const named = tensors.map(({ name, ...tensor }) => ({ key: JSON.stringify(name), tensor }));
  if (kind === "outputs")
    return `{"outputs":{${named.map(({ key, tensor }) => `${key}:${nestedJson(tensor)}`).join()}}}`;
  const rows = Array.from(
    { length: only!.shape[0]! },
    (_, row) => `{${named.map(({ key, tensor }) => `${key}:${nestedJson(rowOf(tensor, row))}`).join()}}`,
  );
  return `{"predictions":[${rows.join()}]}`;
}

/** How many numbers the answer writes. */
export function numbersIn(unwritten: Unwritten): number {
  return tensorsIn(unwritten).reduce((sum, { data }) => sum + data.length, 0);
}

export function tensorsIn(unwritten: Unwritten): readonly Tensor[] {
  return unwritten.kind === "infer"
    ? unwritten.outputs.flatMap(({ tensor }) => (tensor === undefined ? [] : [tensor]))
    : unwritten.tensors;
}

/** The same answer with other tensors, in the order of `tensorsIn`. */
export function withTensors(unwritten: Unwritten, change: (tensor: Tensor) => Tensor): Unwritten {
  if (unwritten.kind !== "infer")
    return { ...unwritten, tensors: unwritten.tensors.map((each) => ({ ...change(each), name: each.name })) };
  const outputs = unwritten.outputs.map(({ head, tensor }) => ({ head, tensor: tensor && change(tensor) }));
  return { ...unwritten, outputs };
}

function inferJson({ head, outputs }: Extract<Unwritten, { readonly kind: "infer" }>): string {
  const written = outputs.map(({ head: each, tensor }) => {
    if (tensor === undefined) return JSON.stringify(each);
    checkFinite(tensor.data, "; ask for binary data");
    return `${JSON.stringify(each).slice(0, -1)},"data":[${numbers(tensor.data)}]}`;
  });
  return `${JSON.stringify(head).slice(0, -1)},"outputs":[${written.join()}]}`;
}

/** A tensor as nested arrays, `[2, 3]` as two arrays of three. */
function nestedJson({ data, shape }: Tensor): string {
  const build = (axis: number, from: number, to: number): string => {
    if (axis === shape.length) return numbers(data.subarray(from, to));
    if (axis === shape.length - 1) return `[${numbers(data.subarray(from, to))}]`;
    const size = (to - from) / shape[axis]!;
    return `[${Array.from({ length: shape[axis]! }, (_, i) => build(axis + 1, from + i * size, from + (i + 1) * size)).join()}]`;
  };
  return build(0, 0, data.length);
}

/** A typed array joins its numbers as JSON writes them; -0 becomes 0, as in JSON.stringify. */
function numbers(data: Tensor["data"]): string {
  return data.join();
}

function rowOf({ data, shape }: Tensor, row: number): Tensor {
  const [rows, ...rest] = shape;
  const size = data.length / rows!;
  return { data: data.subarray(row * size, (row + 1) * size), shape: rest };
}

function checkFinite(data: Tensor["data"], how: string): void {
  if (data instanceof Uint8Array || data.every(Number.isFinite)) return;
  throw new RequestError(500, `The model's output has values that are not finite, which JSON cannot hold${how}.`);
}
