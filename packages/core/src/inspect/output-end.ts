import type { layers, LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";

const activatedClasses = new Set(["Dense", "Conv2D", "Conv1D", "DepthwiseConv2D", "SeparableConv2D", "Activation"]);
/** Layers that leave the values of their input as they are. */
const keepingClasses = new Set(["Reshape", "Flatten", "Dropout", "Identity"]);

interface Activated extends layers.Layer {
  readonly activation?: { getClassName?(): string };
  readonly axis?: number;
}

/**
 * The activation that a layer ends in, if it is a softmax over the last axis, a sigmoid or none (`linear`). Undefined for other
 * activations and for layers that have none.
 */
export function layerEnd(layer: layers.Layer): "softmax" | "sigmoid" | "linear" | undefined {
  const { activation, axis = -1 } = layer as Activated;
  const className = layer.getClassName();
  if (className === "Softmax") {
    return axis === -1 || axis === (layer.outputShape as unknown[]).length - 1 ? "softmax" : undefined;
  }
  if (!activatedClasses.has(className)) return undefined;
  const name = activation?.getClassName?.();
  return name === "softmax" || name === "sigmoid" || name === "linear" ? name : undefined;
}

/**
 * Whether a model's first output holds logits: no softmax or sigmoid follows its last layer with weights. Undefined where other kinds
 * of layers end it, so that the scores must tell.
 */
export function endsInLogits(model: LayersModel): boolean | undefined {
  let tensor = model.outputs[0] as SymbolicTensor;
  for (;;) {
    const layer = tensor.sourceLayer;
    if ("layers" in layer) {
      tensor = (layer as LayersModel).outputs[0] as SymbolicTensor;
      continue;
    }
    const end = layerEnd(layer);
    if (end !== "linear" || layer.weights.length > 0) {
      if (end !== undefined) return end === "linear";
      if (!keepingClasses.has(layer.getClassName())) return undefined;
    }
    const [before] = [tensor.inputs].flat() as SymbolicTensor[];
    if (before === undefined) return undefined;
    tensor = before;
  }
}
