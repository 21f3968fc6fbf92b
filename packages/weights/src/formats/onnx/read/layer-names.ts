import type { OnnxNode } from "./node.ts";

/** Endings of weights' names: PyTorch's, and those of this package's own files. */
const weightEnding =
  /^(.+?)[./](weight|kernel|depthwise_kernel|pointwise_kernel|gamma|alpha|weight_quantized|running_mean)(_\d+)?$/;

/**
 * The name of a node's layer: the weight's name without its ending (`layer1.0.conv1` of `layer1.0.conv1.weight`), so that
 * a network of PyTorch keeps its names, else the node's own name without its operator.
 */
export function layerNameOf({ name, op, inputs, outputs }: OnnxNode): string {
  for (const input of inputs.slice(1)) {
    const found = weightEnding.exec(input);
    if (found !== null && /[A-Za-z]/.test(found[1]!)) return found[1]!.replaceAll("/", ".");
  }
  const own = name === "" ? (outputs[0] ?? "") : name;
  const parts = own.split("/").filter((part) => part !== "");
  // PyTorch's scopes repeat what is around them: layer1, layer1.0.
  const scopes = parts.filter((part, index) => !(parts[index + 1] ?? "").startsWith(`${part}.`));
  if (scopes.length > 1 && scopes.at(-1)!.replace(/_\d+$/, "") === op) scopes.pop();
  const path = scopes.join(".");
  return path === "" || /^\d+$/.test(path) ? op.toLowerCase() : path;
}
