import { isSubgraph } from "../node.ts";
import type { Read } from "./read.ts";

export const branches: Readonly<Record<string, Read>> = {
  // The branch of a condition that the file alone decides, such as one of the sizes of the input.
  If: (builder, node) => {
    const condition = builder.input(node, 0);
    if (condition.kind !== "constant")
      return builder.refuse(
        node,
        "has a condition that only the run knows: export the model without branches that depend on its input",
      );
    const branch = node.attributes[condition.read()[0] === 0 ? "else_branch" : "then_branch"];
    return isSubgraph(branch) ? builder.branch(node, branch) : builder.refuse(node, "expected two branches");
  },
};
