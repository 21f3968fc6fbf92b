import { becomeNode, constNode } from "../ir/builder.ts";
import { outputOf, reachable } from "../ir/graph-node.ts";
import type { Ref } from "../ir/graph-node.ts";
import { countChange } from "../ir/rewrite.ts";
import type { Changes } from "../ir/rewrite.ts";
import { GraphError } from "../graph-error.ts";
import type { TracedVariable } from "../trace/traced-variable.ts";
import { sizeOf, widthOf } from "../values/dtypes.ts";
import type { TypedArray } from "../values/dtypes.ts";
import { rootsOf } from "./pass.ts";
import type { Pass } from "./pass.ts";

/** More bytes of weights than this are not frozen: TensorFlow copies constants several times while it optimizes. */
const FROZEN_BYTES = 1.5 * 2 ** 30;

/** TensorFlow then fuses convolution, bias and ReLU, and keeps the weights in the layout of its kernels. */
export const freeze: Pass = {
  name: "freeze",
  description: "reads of variables are constants with the values of now",
  when: ({ freeze: frozen }) => frozen,
  run(graph) {
    const changes: Changes = {};
    const byHandle = new Map([...graph.variables].map((traced) => [traced.handle, traced]));
    let bytes = 0;
    for (const node of reachable(rootsOf(graph))) {
      if (node.op !== "ReadVariableOp") continue;
      const traced = byHandle.get((node.inputs[0] as Ref).node) as TracedVariable;
      if (traced.writes.length > 0)
        throw new GraphError(
          `A frozen function cannot write variables, and this one writes ${traced.variable.name}; compile it without freeze.`,
        );
      const { dtype, shape } = outputOf({ node, index: 0 });
      bytes += sizeOf(shape) * widthOf(dtype);
      if (bytes > FROZEN_BYTES)
        throw new GraphError(
          `The weights take more than ${FROZEN_BYTES} bytes, too much to freeze; compile the function without freeze.`,
        );
      countChange(changes, node.op);
      const { op, attrs } = constNode(node.name, dtype, shape, traced.variable.dataSync() as TypedArray);
      becomeNode(node, op, [], attrs);
      node.control = [];
    }
    return changes;
  },
};
