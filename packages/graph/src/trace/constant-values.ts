import type * as tf from "@tensorflow/tfjs-core";
import { fill, tensor as makeTensor } from "@tensorflow/tfjs-core";
import { eagerly } from "../tfjs/recording.ts";
import { tfjsType } from "../values/dtypes.ts";
import { constantOf } from "../ir/constants.ts";
import { outputOf } from "../ir/graph-node.ts";
import type { GraphNode, Ref } from "../ir/graph-node.ts";
import type { Recorder } from "./recorder.ts";

/**
 * Computes a recorded value eagerly, as a tensor that the caller disposes. Undefined if the value depends on an input
 * of the function, on randomness, or (unless `variables`) on a variable.
 */
export function replay(trace: Recorder, ref: Ref, { variables }: { variables: boolean }): tf.Tensor | undefined {
  const made = new Map<GraphNode, tf.Tensor[] | undefined>();
  const handles = new Map([...trace.variables.values()].map((traced) => [traced.handle, traced]));

  function compute(node: GraphNode): tf.Tensor[] | undefined {
    if (!made.has(node)) made.set(node, evaluate(node));
    return made.get(node);
  }

  function evaluate(node: GraphNode): tf.Tensor[] | undefined {
    if (node.op === "Const") {
      const value = constant(node);
      return value === undefined ? undefined : [value];
    }
    if (node.op === "ReadVariableOp") {
      const traced = handles.get(node.inputs[0]?.node as GraphNode);
      return variables && traced !== undefined && node.control.length === 0 ? [traced.original.clone()] : undefined;
    }
    if (node.op === "Fill" && node.eager === undefined) {
      const [dims, value] = node.inputs.map((input) => compute(input.node)?.[input.index]);
      if (dims === undefined || value === undefined) return undefined;
      const { shape, dtype } = outputOf({ node, index: 0 });
      return [fill([...shape], value.dataSync()[0] as number, tfjsType(dtype))];
    }
    if (node.eager === undefined) return undefined;
    const inputs = node.inputs.map((input) => compute(input.node)?.[input.index]);
    if (inputs.some((input) => input === undefined)) return undefined;
    return trace.backend.executeMultipleOutputs(node.op, node.eager, inputs as tf.Tensor[], node.outputs.length);
  }

  return eagerly(() => {
    const result = compute(ref.node)?.[ref.index];
    for (const tensor of new Set([...made.values()].flatMap((tensors) => tensors ?? [])))
      if (tensor !== result) tensor.dispose();
    return result;
  });
}

function constant(node: GraphNode): tf.Tensor | undefined {
  const { dtype, shape } = outputOf({ node, index: 0 });
  // A copy, since the caller may overwrite the values.
  const values = constantOf(node)?.slice() as Float32Array | undefined;
  return values === undefined ? undefined : makeTensor(values, [...shape], tfjsType(dtype));
}
