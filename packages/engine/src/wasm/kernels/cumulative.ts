import { util } from "@tensorflow/tfjs-core";

import { input, type Kernel } from "../runtime/kernel-context.ts";

/** A cumulative sum or product. The stock kernel misreads a negative axis and writes beyond its output. */
export function cumulative(stock: Kernel): Kernel {
  return (inputs, attrs, context) => {
    const [axis] = util.parseAxisParam(attrs["axis"] as number, input(inputs, "x").shape);
    return stock(inputs, { ...attrs, axis }, context);
  };
}
