import { shown } from "@convkit/errors";
import { RequestError } from "../http/request-error.ts";
import { checkKeys, isObject, jsonObject } from "./json-body.ts";
import { encodedImage, isEncoded } from "./encoded-image.ts";
import { nestedTensor } from "./nested-values.ts";
import { mostImages, type NamedInput } from "./tensor.ts";

/** The inputs of a `:predict` request; `row` for `instances`, `column` for `inputs`. */
export interface PredictBody {
  readonly format: "row" | "column";
  readonly inputs: readonly NamedInput[];
}

/** Reads a `:predict` request of TensorFlow Serving's REST API for a model with the inputs `names`. */
export function readPredictBody(bytes: Uint8Array, names: readonly string[]): PredictBody {
  const body = jsonObject(bytes, "predict");
  checkKeys(body, ["signature_name", "instances", "inputs"], "predict");
  const { signature_name: signature = "", instances, inputs } = body;
  if (signature !== "" && signature !== "serving_default")
    throw new RequestError(400, `predict: expected the signature serving_default, got ${shown(signature)}.`);
  if ((instances === undefined) === (inputs === undefined))
    throw new RequestError(400, "predict: expected either instances or inputs in the JSON object.");
  // A value of JSON takes two characters at least, with its comma.
  const limit = Math.ceil(bytes.length / 2);
  return instances === undefined
    ? { format: "column", inputs: columns(inputs, names, limit) }
    : { format: "row", inputs: rows(instances, names, limit) };
}

function rows(instances: unknown, names: readonly string[], limit: number): NamedInput[] {
  if (!Array.isArray(instances) || instances.length === 0)
    throw new RequestError(400, `instances: expected a list with one value or more, got ${shown(instances)}.`);
  if (!isObject(instances[0]) || (isEncoded(instances[0]) && !names.includes("b64")))
    return [inputOf(onlyName(names, "instances"), instances, "instances", limit)];
  for (const [place, instance] of instances.entries()) {
    if (!isObject(instance))
      throw new RequestError(
        400,
        `instances[${place}]: expected an object, as the first one is, got ${shown(instance)}.`,
      );
    checkNames(instance, names, `instances[${place}]`);
  }
  return names.map((name) => {
    const values = (instances as Record<string, unknown>[]).map((instance) => instance[name]);
    return inputOf(name, values, `instances.${name}`, limit);
  });
}

function columns(inputs: unknown, names: readonly string[], limit: number): NamedInput[] {
  if (!isObject(inputs)) return [inputOf(onlyName(names, "inputs"), inputs, "inputs", limit)];
  checkNames(inputs, names, "inputs");
  return names.map((name) => inputOf(name, inputs[name], `inputs.${name}`, limit));
}

/** Numbers, or a list of image files in base64. */
function inputOf(name: string, value: unknown, where: string, limit: number): NamedInput {
  if (!Array.isArray(value) || !isEncoded(value[0])) return { name, ...nestedTensor(value, where, limit) };
  if (value.length > mostImages)
    throw new RequestError(400, `${where}: expected at most ${mostImages} images, got ${value.length}.`);
  return { name, images: value.map((each, place) => encodedImage(each, `${where}[${place}]`)) };
}

function onlyName(names: readonly string[], where: string): string {
  if (names.length === 1) return names[0]!;
  throw new RequestError(400, `${where}: expected an object with the inputs ${names.join(", ")}.`);
}

function checkNames(values: Record<string, unknown>, names: readonly string[], where: string): void {
  if (isEncoded(values) && !names.includes("b64"))
    throw new RequestError(400, `${where}: expected a list of images in base64, got one; write [{"b64": …}].`);
  checkKeys(values, names, where);
  const missing = names.filter((name) => !Object.hasOwn(values, name));
  if (missing.length > 0) throw new RequestError(400, `${where}: expected the input ${missing.join(", ")}, got none.`);
}
