import { shown } from "@convkit/errors";
import { RequestError } from "../http/request-error.ts";
import { binaryValues, bytesOf, type DatatypeName, datatypeNames, jsonValues } from "./datatypes.ts";
import { base64Bytes } from "./encoded-image.ts";
import { checkKeys, isObject, jsonObject } from "./json-body.ts";
import { flatValues } from "./nested-values.ts";
import { largestRank, mostImages, type NamedInput } from "./tensor.ts";

/** An output that a request asks for. */
export interface RequestedOutput {
  readonly name: string;
  readonly binary: boolean;
  /** How many of the most likely classes it asks for, instead of all numbers: Triton's classification extension. */
  readonly classification?: number | undefined;
}

/** An input of a model: its name, and its sizes with the batch in front; null stands for any size. */
export interface Port {
  readonly name: string;
  readonly shape: readonly (number | null)[];
}

/** An inference request of the Open Inference Protocol. */
export interface InferBody {
  readonly id?: string | undefined;
  /** The model that the body names, which must be the path's. */
  readonly modelName?: string | undefined;
  readonly modelVersion?: string | undefined;
  readonly inputs: readonly NamedInput[];
  /** All outputs if missing. */
  readonly outputs?: readonly RequestedOutput[] | undefined;
  /** Whether outputs that the request does not name are binary. */
  readonly binary: boolean;
}

/**
 * Reads an inference request for a model with the inputs `ports`: JSON, and behind its first `jsonLength` bytes the binary tensors. No
 * JSON at all, a length of 0, is Triton's raw request: all bytes are the only input, float32.
 */
export function readInferBody(bytes: Uint8Array, ports: readonly Port[], jsonLength: number = bytes.length): InferBody {
  if (jsonLength > bytes.length)
    throw new RequestError(
      400,
      `Inference-Header-Content-Length: expected at most the body's ${bytes.length} bytes, got ${jsonLength}.`,
    );
  if (jsonLength === 0 && bytes.length > 0) return { inputs: [rawInput(bytes, ports)], binary: true };
  const body = jsonObject(bytes.subarray(0, jsonLength), "infer");
  checkKeys(body, ["id", "inputs", "outputs", "parameters", "model_name", "model_version"], "infer");
  const { inputs, outputs } = body;
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
    id: textOf(body, "id"),
    modelName: textOf(body, "model_name"),
    modelVersion: textOf(body, "model_version"),
    inputs: read,
    outputs: outputs === undefined ? undefined : readOutputs(outputs, isBinary),
    binary: isBinary,
  };
}

/** The body as the rows of the model's only input. */
function rawInput(bytes: Uint8Array, ports: readonly Port[]): NamedInput {
  const [port, ...others] = ports;
  const row = port!.shape.slice(1);
  if (others.length > 0 || row.includes(null))
    throw new RequestError(
      400,
      "A body without JSON is for models with one input of known sizes: send JSON in front of the tensors.",
    );
  const size = 4 * row.reduce<number>((product, each) => product * each!, 1);
  if (bytes.length % size !== 0)
    throw new RequestError(400, `Expected rows of ${size} bytes (float32 of ${row.join("x")}), got ${bytes.length}.`);
  const data = binaryValues("FP32", aligned(bytes), port!.name);
  return { name: port!.name, data, shape: [bytes.length / size, ...(row as number[])] };
}

/** The bytes, starting at a multiple of four; a copy only where they do not. */
function aligned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = bytes;
  return byteOffset % 4 === 0 && buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer, byteOffset, length)
    : new Uint8Array(bytes);
}

interface Rest {
  readonly bytes: Uint8Array;
  from: number;
}

function readInput(input: unknown, where: string, rest: Rest, limit: number): NamedInput {
  if (!isObject(input)) throw new RequestError(400, `${where}: expected a tensor as an object, got ${shown(input)}.`);
  checkKeys(input, ["name", "shape", "datatype", "parameters", "data"], where);
  const { name, shape, datatype, data } = input;
  if (typeof name !== "string") throw new RequestError(400, `${where}.name: expected a string, got ${shown(name)}.`);
  if (datatype !== "BYTES" && !datatypeNames.includes(datatype as DatatypeName))
    throw new RequestError(
      400,
      `${where}.datatype: expected ${datatypeNames.join(", ")} or BYTES, got ${shown(datatype)}.`,
    );
  const isShape = Array.isArray(shape) && shape.length >= 1 && shape.length <= largestRank && shape.every(isSize);
  if (!isShape) throw new RequestError(400, `${where}.shape: expected 1 to ${largestRank} sizes, got ${shown(shape)}.`);
  const count = (shape as number[]).reduce((product, size) => product * size, 1);
  const { binary_data_size: size, content_type: content = "np" } = parametersOf(
    input,
    ["binary_data_size", "content_type"],
    where,
  );
  if (content !== "np") throw new RequestError(400, `${where}: expected content_type to be np, got ${shown(content)}.`);
  if ((size === undefined) === (data === undefined))
    throw new RequestError(400, `${where}: expected either data or the parameter binary_data_size.`);
  if (datatype === "BYTES") {
    if (shape.some((each, axis) => axis > 0 && each !== 1) || count > mostImages)
      throw new RequestError(
        400,
        `${where}.shape: expected 1 to ${mostImages} image files, [n] or [n, 1], got ${shown(shape)}.`,
      );
    const images =
      size === undefined
        ? flatValues(data, count, `${where}.data`).map((text, i) => base64Bytes(text, `${where}.data[${i}]`))
        : filesIn(taken(rest, size, where), count, where);
    return { name, images };
  }
  const kind = datatype as DatatypeName;
  if (size !== undefined) {
    const expected = bytesOf(kind) * count;
    if (size !== expected)
      throw new RequestError(
        400,
        `${where}.parameters.binary_data_size: expected ${expected} bytes, as shape and datatype say, got ${shown(size)}.`,
      );
    return { name, shape, data: binaryValues(kind, taken(rest, expected, where), where) };
  }
  if (count > limit)
    throw new RequestError(400, `${where}.data: expected ${count} values, as the shape says, got fewer.`);
  return { name, shape, data: jsonValues(kind, flatValues(data, count, `${where}.data`), `${where}.data`) };
}

/** The next bytes behind the JSON: a copy, which starts at a multiple of eight and does not keep the whole body. */
function taken(rest: Rest, size: unknown, where: string): Uint8Array<ArrayBuffer> {
  const left = rest.bytes.length - rest.from;
  if (!isSize(size) || (size as number) > left)
    throw new RequestError(400, `${where}: expected ${shown(size)} bytes behind the JSON, got ${left}.`);
  const part = new Uint8Array(rest.bytes.subarray(rest.from, rest.from + (size as number)));
  rest.from += part.length;
  return part;
}

/** The elements of a binary tensor of BYTES: each has its length in front, four bytes. */
function filesIn(bytes: Uint8Array<ArrayBuffer>, count: number, where: string): Uint8Array<ArrayBuffer>[] {
  const view = new DataView(bytes.buffer);
  const files: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  while (files.length < count && at + 4 <= bytes.length) {
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.length) break;
    files.push(bytes.subarray(at + 4, end));
    at = end;
  }
  if (files.length === count && at === bytes.length) return files;
  throw new RequestError(400, `${where}: expected ${count} elements of BYTES with their lengths, got other bytes.`);
}

function readOutputs(outputs: unknown, binary: boolean): RequestedOutput[] {
  if (!Array.isArray(outputs)) throw new RequestError(400, `outputs: expected a list, got ${shown(outputs)}.`);
  if (outputs.length > 100) throw new RequestError(400, `outputs: expected at most 100, got ${outputs.length}.`);
  return outputs.map((output: unknown, place) => {
    const where = `outputs[${place}]`;
    if (!isObject(output) || typeof output["name"] !== "string")
      throw new RequestError(400, `${where}: expected an object with a name, got ${shown(output)}.`);
    checkKeys(output, ["name", "parameters"], where);
    const { binary_data: own = binary, classification } = parametersOf(
      output,
      ["binary_data", "classification"],
      where,
    );
    if (classification !== undefined && (!isSize(classification) || classification === 0))
      throw new RequestError(400, `classification: expected a whole number from 1, got ${shown(classification)}.`);
    return {
      name: output["name"],
      binary: flag(own, "binary_data"),
      classification: classification as number | undefined,
    };
  });
}

function textOf(body: Record<string, unknown>, key: string): string | undefined {
  const value = body[key];
  if (value === undefined || typeof value === "string") return value;
  throw new RequestError(400, `${key}: expected a string, got ${shown(value)}.`);
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
