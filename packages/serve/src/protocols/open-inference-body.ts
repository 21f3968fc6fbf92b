import { shown } from "@convkit/errors";
import { RequestError } from "../http/request-error.ts";
import { checkKeys, isObject, jsonObject } from "./json-body.ts";
import { flatValues, largestRank, type NamedTensor } from "./nested-values.ts";

/** An output that a request asks for. */
export interface RequestedOutput {
  readonly name: string;
  readonly binary: boolean;
}

/** An inference request of the Open Inference Protocol. */
export interface InferBody {
  readonly id?: string | undefined;
  readonly inputs: readonly NamedTensor[];
  /** All outputs if missing. */
  readonly outputs?: readonly RequestedOutput[] | undefined;
  /** Whether outputs that the request does not name are binary. */
  readonly binary: boolean;
}

/** Reads an inference request: JSON, and behind its first `jsonLength` bytes the binary tensors. */
export function readInferBody(bytes: Uint8Array, jsonLength: number = bytes.length): InferBody {
  if (jsonLength > bytes.length)
    throw new RequestError(
      400,
      `Inference-Header-Content-Length: expected at most the body's ${bytes.length} bytes, got ${jsonLength}.`,
    );
  const body = jsonObject(bytes.subarray(0, jsonLength), "infer");
  checkKeys(body, ["id", "inputs", "outputs", "parameters"], "infer");
  const { id, inputs, outputs } = body;
  if (id !== undefined && typeof id !== "string")
    throw new RequestError(400, `id: expected a string, got ${shown(id)}.`);
  const { binary_data_output: binary = false } = parametersOf(body, ["binary_data_output"], "infer");
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw new RequestError(400, `inputs: expected a list with one tensor or more, got ${shown(inputs)}.`);
  const rest = { bytes: bytes.subarray(jsonLength), from: 0 };
  const read = inputs.map((input, place) => readInput(input, `inputs[${place}]`, rest, jsonLength));
  if (rest.from !== rest.bytes.length)
    throw new RequestError(
      400,
      `infer: expected ${rest.from} bytes of binary tensors behind the JSON, got ${rest.bytes.length}.`,
    );
  const isBinary = flag(binary, "binary_data_output");
  return {
    id,
    inputs: read,
    outputs: outputs === undefined ? undefined : readOutputs(outputs, isBinary),
    binary: isBinary,
  };
}

function readInput(
  input: unknown,
  where: string,
  rest: { readonly bytes: Uint8Array; from: number },
  limit: number,
): NamedTensor {
  if (!isObject(input)) throw new RequestError(400, `${where}: expected a tensor as an object, got ${shown(input)}.`);
  checkKeys(input, ["name", "shape", "datatype", "parameters", "data"], where);
  const { name, shape, datatype, data } = input;
  if (typeof name !== "string") throw new RequestError(400, `${where}.name: expected a string, got ${shown(name)}.`);
  if (datatype !== "FP32" && datatype !== "UINT8")
    throw new RequestError(400, `${where}.datatype: expected FP32 or UINT8, got ${shown(datatype)}.`);
  const isShape = Array.isArray(shape) && shape.length >= 1 && shape.length <= largestRank && shape.every(isSize);
  if (!isShape) throw new RequestError(400, `${where}.shape: expected 1 to ${largestRank} sizes, got ${shown(shape)}.`);
  const count = (shape as number[]).reduce((product, size) => product * size, 1);
  const { binary_data_size: size } = parametersOf(input, ["binary_data_size"], where);
  if ((size === undefined) === (data === undefined))
    throw new RequestError(400, `${where}: expected either data or the parameter binary_data_size.`);
  if (size !== undefined) return { name, shape, data: binaryValues(datatype, count, size, where, rest) };
  if (count > limit)
    throw new RequestError(400, `${where}.data: expected ${count} values, as the shape says, got fewer.`);
  const values = flatValues(data, count, `${where}.data`);
  if (datatype === "FP32") return { name, shape, data: Float32Array.from(values) };
  const wrong = values.find((value) => !Number.isInteger(value) || value < 0 || value > 255);
  if (wrong !== undefined) throw new RequestError(400, `${where}.data: expected whole numbers 0 to 255, got ${wrong}.`);
  return { name, shape, data: Uint8Array.from(values) };
}

function binaryValues(
  datatype: "FP32" | "UINT8",
  count: number,
  size: unknown,
  where: string,
  rest: { readonly bytes: Uint8Array; from: number },
): Float32Array | Uint8Array {
  const expected = datatype === "FP32" ? 4 * count : count;
  if (size !== expected)
    throw new RequestError(
      400,
      `${where}.parameters.binary_data_size: expected ${expected} bytes, as shape and datatype say, got ${shown(size)}.`,
    );
  if (rest.from + expected > rest.bytes.length)
    throw new RequestError(
      400,
      `${where}: expected ${expected} bytes behind the JSON, got ${rest.bytes.length - rest.from}.`,
    );
  // A copy: the tensor need not start at a multiple of four, and must not keep the whole body. A Buffer's slice would be a view.
  const part = new Uint8Array(rest.bytes.subarray(rest.from, rest.from + expected));
  rest.from += expected;
  if (datatype === "UINT8") return part;
  const values = new Float32Array(part.buffer, part.byteOffset, count);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new RequestError(400, `${where}: expected finite numbers, got ${values[wrong]} at ${wrong}.`);
  return values;
}

function readOutputs(outputs: unknown, binary: boolean): RequestedOutput[] {
  if (!Array.isArray(outputs)) throw new RequestError(400, `outputs: expected a list, got ${shown(outputs)}.`);
  if (outputs.length > 100) throw new RequestError(400, `outputs: expected at most 100, got ${outputs.length}.`);
  return outputs.map((output: unknown, place) => {
    const where = `outputs[${place}]`;
    if (!isObject(output) || typeof output["name"] !== "string")
      throw new RequestError(400, `${where}: expected an object with a name, got ${shown(output)}.`);
    checkKeys(output, ["name", "parameters"], where);
    const { binary_data: own = binary } = parametersOf(output, ["binary_data"], where);
    return { name: output["name"], binary: flag(own, "binary_data") };
  });
}

function parametersOf(
  object: Record<string, unknown>,
  known: readonly string[],
  where: string,
): Record<string, unknown> {
  const { parameters = {} } = object;
  if (!isObject(parameters))
    throw new RequestError(400, `${where}.parameters: expected an object, got ${shown(parameters)}.`);
  checkKeys(parameters, known, `${where}.parameters`);
  return parameters;
}

function flag(value: unknown, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw new RequestError(400, `${name}: expected true or false, got ${shown(value)}.`);
}

function isSize(size: unknown): boolean {
  return Number.isSafeInteger(size) && (size as number) >= 0;
}
