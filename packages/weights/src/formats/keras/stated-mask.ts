import type * as tfl from "@tensorflow/tfjs-layers";
import { Identity } from "../../layers/base-layers.ts";
import { isSource, maskRule } from "../../layers/masks.ts";
import { Operation } from "../../operations/operation.ts";
import { boundCall } from "./call-arguments.ts";
import type { LayerCall } from "./config.ts";

/**
 * The tensors of a nested model's call without the masks, which Keras 3 states there although each tensor has its own.
 * Undefined if a mask is another than the tensor's own.
 */
export function withoutOwnMasks(
  className: string,
  call: LayerCall,
  tensors: readonly tfl.SymbolicTensor[],
): readonly tfl.SymbolicTensor[] | undefined {
  const { roles } = boundCall(className, call);
  const inputs = tensors.filter((_, index) => roles[index] !== "mask");
  const masks = tensors.filter((_, index) => roles[index] === "mask");
  return masks.every((mask) => inputs.some((input) => isMaskOf(mask, input))) ? inputs : undefined;
}

/** Whether a mask is computed as the layers do that give the tensor its mask. */
function isMaskOf(mask: tfl.SymbolicTensor, tensor: tfl.SymbolicTensor): boolean {
  const { sourceLayer: layer } = tensor;
  const [before, ...more] = inputsOf(tensor);
  if (before === undefined) return false;
  if (isSource(layer)) return isMadeBy(layer, mask, before);
  const rule = maskRule(layer.getClassName());
  if (rule === "joins") return joins(mask, [before, ...more]);
  return (rule === "first" || rule === "steps") && isMaskOf(mask, before);
}

/** Whether a mask is the one that a Masking or an Embedding makes of its input. */
function isMadeBy(layer: tfl.layers.Layer, mask: tfl.SymbolicTensor, input: tfl.SymbolicTensor): boolean {
  const isMasking = layer.getClassName() === "Masking";
  const compared = isMasking ? resultOf("any", mask)?.inputs[0] : mask;
  const found = compared === undefined ? undefined : resultOf("notequal", compared);
  const value = isMasking ? layer.getConfig()["maskValue"] : 0;
  return found !== undefined && once(found.inputs[0]!) === once(input) && found.values.includes(value);
}

/** Whether a mask joins those of all tensors. */
function joins(mask: tfl.SymbolicTensor, tensors: readonly tfl.SymbolicTensor[]): boolean {
  if (tensors.length === 1) return isMaskOf(mask, tensors[0]!);
  const [first, last] = resultOf("logicalor", mask)?.inputs ?? [];
  return (
    first !== undefined && last !== undefined && joins(first, tensors.slice(0, -1)) && isMaskOf(last, tensors.at(-1)!)
  );
}

/** A tensor without the Identity layers that it goes through. */
function once(tensor: tfl.SymbolicTensor): tfl.SymbolicTensor {
  return tensor.sourceLayer instanceof Identity ? once(inputsOf(tensor)[0]!) : tensor;
}

/** What an operation of that name took; undefined for a tensor of another layer. */
function resultOf(
  op: string,
  tensor: tfl.SymbolicTensor,
): { inputs: readonly tfl.SymbolicTensor[]; values: readonly unknown[] } | undefined {
  const own = once(tensor);
  const { sourceLayer: layer } = own;
  if (!(layer instanceof Operation) || layer.op !== op) return undefined;
  return { inputs: inputsOf(own), values: Object.values(layer.values) };
}

function inputsOf({ sourceLayer, nodeIndex }: tfl.SymbolicTensor): readonly tfl.SymbolicTensor[] {
  return sourceLayer.inboundNodes[nodeIndex]!.inputTensors;
}
