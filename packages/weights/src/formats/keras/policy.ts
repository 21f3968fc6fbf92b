import type * as tfl from "@tensorflow/tfjs-layers";
import { isObject } from "../../bytes/json.ts";
import type { JsonObject } from "../../bytes/json.ts";

/** Policies of Keras with another type than float32, for weights or for what layers compute. */
const otherPolicies = /^(mixed_)?(b?float16|float64)$/;

/** The policies of layers that were made from a file. They travel to the Keras files that the layers are saved in. */
const policies = new WeakMap<tfl.layers.Layer, string>();

/**
 * The name of the dtype policy in a layer's configuration, a word or an object in Keras 2, an object in Keras 3;
 * undefined for float32, and for quantized layers, whose policy is of their file.
 */
function policyIn({ dtype }: JsonObject): string | undefined {
  const isPolicy = isObject(dtype) && /^(DType)?Policy$/.test(String(dtype["class_name"])) && isObject(dtype["config"]);
  const name = isPolicy ? (dtype["config"] as JsonObject)["name"] : dtype;
  return typeof name === "string" && otherPolicies.test(name) ? name : undefined;
}

/** The argument of a call by which TensorFlow rounds numbers to 16 bits. */
const narrowCast = /"dtype":\s*"(b?float16|half)"/;

/** Says that casts to 16 bits do not round here. */
export function castNote(path: string, casts: number): string {
  return `${path} casts numbers to float16 or bfloat16 ${casts === 1 ? "once" : `${casts} times`}: the model computes in float32 here, without that rounding`;
}

/** Keeps the policy of a file's layer with the layer made of it. */
export function keepPolicy(layer: tfl.layers.Layer, config: JsonObject): void {
  const policy = policyIn(config);
  if (policy !== undefined) policies.set(layer, policy);
}

/** The policy that a layer's file stated; undefined for float32. */
export function policyOf(layer: tfl.layers.Layer): string | undefined {
  return policies.get(layer);
}

/** Tells once which policies a model's configuration states. */
export function tellPolicy(path: string, config: JsonObject, onNote: ((note: string) => void) | undefined): void {
  const found = new Map<string, number>();
  let casts = 0;
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isObject(value)) return;
    const inner = value["config"];
    const policy = typeof value["class_name"] === "string" && isObject(inner) ? policyIn(inner) : undefined;
    if (value["class_name"] === "TFOpLambda" && narrowCast.test(JSON.stringify(value["inbound_nodes"] ?? "")))
      casts += 1;
    if (policy !== undefined) found.set(policy, (found.get(policy) ?? 0) + 1);
    Object.values(value).forEach(visit);
  };
  visit(config);
  if (casts > 0) onNote?.(castNote(path, casts));
  if (found.size === 0) return;
  const counted = [...found].map(([policy, count]) => `${policy} in ${count} ${count === 1 ? "layer" : "layers"}`);
  onNote?.(
    `${path} states the dtype policy ${counted.join(", ")}: the model computes in float32 here, and files of Keras that it is saved in state the policy again`,
  );
}
