import { OptionError } from "@convkit/errors";
import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";
import {
  givenFunction,
  userPrefix,
  activationNames,
  approximateGelu,
  keras3HardSigmoid,
} from "../../layers/activations.ts";

/** Python's configuration in tfjs' form, without options that tfjs lacks (dtype policies, quantization). */
export function converted(config: JsonObject, className: string): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(config)) {
    if (ignoredKeys.has(key) || value === null) continue;
    const camel = camelCase(key);
    if (/(^|_)activation$/.test(key)) out[camel] = activationOf(value, config);
    else if (/_(initializer|regularizer|constraint)$/.test(key)) out[camel] = functionOf(value);
    else if (key === "data_format") out[camel] = "channelsLast";
    else out[camel] = value;
  }
  if (className === "SeparableConv2D")
    for (const key of ["kernelInitializer", "kernelRegularizer", "kernelConstraint"]) delete out[key];
  if (
    className === "DepthwiseConv2D" &&
    out["depthwiseInitializer"] === undefined &&
    out["kernelInitializer"] !== undefined
  ) {
    out["depthwiseInitializer"] = out["kernelInitializer"];
  }
  // Keras 2 wrote a single axis as a list.
  if (Array.isArray(out["axis"]) && out["axis"].length === 1) out["axis"] = (out["axis"] as unknown[])[0];
  return out;
}

export function base(args: Record<string, unknown>): { name: string; trainable?: boolean } {
  return {
    name: args["name"] as string,
    ...(typeof args["trainable"] === "boolean" ? { trainable: args["trainable"] } : {}),
  };
}

export function numberOf(value: unknown, otherwise: number): number {
  if (typeof value === "number") return value;
  // Keras 2 wrote NumPy scalars as objects.
  return isObject(value) && typeof value["value"] === "number" ? value["value"] : otherwise;
}

export function pairOf(value: unknown, otherwise: number): [number, number] {
  if (Array.isArray(value)) return [Number(value[0]), Number(value[1])];
  const number = numberOf(value, otherwise);
  return [number, number];
}

const ignoredKeys = new Set([
  "dtype",
  "batch_input_shape",
  "batch_shape",
  "quantization_config",
  "renorm",
  "renorm_clipping",
  "renorm_momentum",
  "synchronized",
  "seed",
  "ragged",
  "sparse",
  "rng_type",
  "force_generator",
  // tfjs prints a warning for it, and computes the same.
  "unroll",
  // A layer of its own.
  "activity_regularizer",
]);

function activationOf(value: unknown, config: JsonObject): string {
  // Keras 3 wraps functions from other packages in an object.
  const inner = isObject(value) ? (value["config"] ?? value["class_name"]) : value;
  const name = typeof inner === "string" ? inner : String(isObject(value) ? value["class_name"] : value);
  // A dtype given as a policy identifies Keras 3, whose hard_sigmoid differs from Keras 2's.
  if (name === "hard_sigmoid" && isObject(config["dtype"])) return keras3HardSigmoid;
  if (name === approximateGelu) return name;
  // Keras writes a registered function with its package: "mine>gelu".
  const plain = name.slice(name.indexOf(">") + 1);
  const given = givenFunction(name) ?? givenFunction(plain);
  if (given !== undefined) return given;
  if (name.startsWith(userPrefix))
    throw new OptionError(
      `its activation ${plain} is a function of the user's: give it, loadModel(file, { functions: { … } })`,
    );
  if (isObject(value) && typeof value["registered_name"] === "string" && value["registered_name"].includes(">"))
    throw new OptionError(
      `its activation ${name} is a function of the user's: give it, loadModel(file, { functions: { ${plain} } })`,
    );
  const camel = camelCase(name);
  const own = camel === keras3HardSigmoid || Object.values(activationNames).includes(camel) ? camel : undefined;
  const known = Object.hasOwn(activationNames, name) ? activationNames[name] : own;
  if (known === undefined)
    throw new OptionError(`the activation ${name} is not known: give it, loadModel(file, { functions: { ${plain} } })`);
  return known;
}

export function camelCase(text: string): string {
  return text.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** An initializer, regularizer or constraint as `{className, config}` with tfjs' keys. */
function functionOf(value: unknown): unknown {
  if (!isObject(value)) return typeof value === "string" ? camelCase(value) : value;
  const config = isObject(value["config"]) ? value["config"] : {};
  const plain = Object.fromEntries(
    Object.entries(config)
      .filter(([key, part]) => part !== null && !["dtype", "input_axes", "output_axes"].includes(key))
      .map(([key, part]) => [camelCase(key), part]),
  );
  const className = String(value["class_name"]);
  if (className === "L2" || className === "L1" || className === "L1L2")
    return { className: "L1L2", config: { l1: plain["l1"] ?? 0, l2: plain["l2"] ?? 0 } };
  const renamed: Readonly<Record<string, string>> = {
    LecunNormal: "LeCunNormal",
    LecunUniform: "LeCunUniform",
    Identity: "IdentityInitializer",
    OrthogonalInitializer: "Orthogonal",
  };
  if (className === "VarianceScaling" && plain["distribution"] === "untruncated_normal")
    plain["distribution"] = "normal";
  if (typeof plain["distribution"] === "string")
    plain["distribution"] = plain["distribution"].replace("truncated_normal", "truncatedNormal");
  if (typeof plain["mode"] === "string") plain["mode"] = camelCase(plain["mode"]);
  return { className: renamed[className] ?? className, config: plain };
}
