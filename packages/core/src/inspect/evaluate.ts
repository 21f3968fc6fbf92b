import { previousOf } from "./position.ts";
import type { Position } from "./position.ts";
import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** Values of tensors, by `positionKey`. */
export type Values = Map<string, tf.Tensor>;

interface StockNode {
  readonly inputTensors: tfl.SymbolicTensor[];
  readonly outputTensors: tfl.SymbolicTensor[];
  readonly callArgs?: Record<string, unknown>;
}

/** Names a position: the same layer is at several positions if it, or the model around it, is used several times. */
export function positionKey({ tensor, inside }: Position): string {
  return [...inside.map(({ model, node }) => `${model.id}:${node}`), tensor.id].join("/");
}

/**
 * A function that computes tensors of a model for its inputs, in the model's order, each of them once, as in a prediction. A
 * value in `given` takes the place of the computed one, so that a gradient by it can be taken.
 */
export function evaluator(
  model: tfl.LayersModel,
  fed: tf.Tensor | readonly tf.Tensor[],
  given?: Values,
): (position: Position) => tf.Tensor {
  const values: Values = new Map(given);
  const tensors = [fed].flat() as tf.Tensor[];
  const inputs = new Map(model.inputs.map(({ id }, i) => [id, tensors[i] as tf.Tensor]));
  const valueOf = (position: Position): tf.Tensor => {
    const known = values.get(positionKey(position));
    if (known !== undefined) return known;
    const { tensor, inside } = position;
    const input = inside.length === 0 ? inputs.get(tensor.id) : undefined;
    if (input !== undefined) return input;
    const layer = tensor.sourceLayer;
    const before = previousOf(position).map(valueOf);
    const call = inside.at(-1);
    // The input of a nested model has the value that the model is called with.
    if (call?.model.inputs.some(({ id }) => id === tensor.id) === true) return before[0] as tf.Tensor;
    const node = layer.inboundNodes[tensor.nodeIndex] as unknown as StockNode;
    const outputs = [layer.apply(before.length === 1 ? (before[0] as tf.Tensor) : before, node.callArgs)].flat();
    node.outputTensors.forEach((output, i) =>
      values.set(positionKey({ tensor: output, inside }), outputs[i] as tf.Tensor),
    );
    return values.get(positionKey(position)) as tf.Tensor;
  };
  return valueOf;
}

/** Keys of all positions that a position is computed from, its own included. */
export function sourcesOf(position: Position): Set<string> {
  const found = new Set<string>();
  const open = [position];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const key = positionKey(next);
    if (found.has(key)) continue;
    found.add(key);
    open.push(...previousOf(next));
  }
  return found;
}
