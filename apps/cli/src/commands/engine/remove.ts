import type { Context } from "../../terminal/context.ts";
import { flag, type ValuesOf } from "../../terminal/option.ts";

export const options = { gpu: flag("the CUDA build") };

/** `convkit engine remove`: removes what `convkit engine install` installed. */
export async function run({ out }: Context, { gpu = false }: ValuesOf<typeof options>): Promise<void> {
  const { removeEngine } = await import("@convkit/engine");
  const removed = await removeEngine({ gpu });
  out.result({ engine: gpu ? "gpu" : "native", removed }, `Removed the ${gpu ? "gpu" : "native"} engine.`);
}
